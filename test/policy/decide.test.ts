import { describe, expect, it } from '@jest/globals';
import { type Decision, decide, type Input } from '../../src/policy/index.js';

const NOW = new Date('2026-03-02T08:00:00Z');
const LATER = new Date('2026-03-03T08:00:00Z');
const EARLIER = new Date('2026-03-01T08:00:00Z');

const client: Input['client'] = {
  minimumLevel: '1fa',
  acceptRememberedBrowser: true,
  acceptSuspended: true,
  acrValuesRequired: false,
};
const plain: Input = {
  now: NOW,
  account: { active: true },
  client,
  accountMinimum: '1fa',
  rememberedBrowser: false,
  factorLevels: ['2fa'],
  setUp: { required: false, laterUntilTomorrow: false },
  firstEnrolmentPermitted: true,
};
const none: Partial<Input> = { factorLevels: [] };
const cleared: Partial<Input> = { suspension: { until: LATER, browserCleared: true } };
const uncleared: Partial<Input> = { suspension: { until: LATER, browserCleared: false } };
const acr = (essential: boolean, ...levels: Input['accountMinimum'][]): Partial<Input> => ({
  requested: { levels, essential },
});
const of = (rules: Partial<Input['client']>): Partial<Input> => ({ client: { ...client, ...rules } });

const cases: [string, Partial<Input>, Partial<Decision>][] = [
  ['a: deactivated', { account: { active: false } }, { row: 'a', action: 'deny' }],
  [
    'a: deactivated with a live session',
    { account: { active: false }, sessionLevel: 'phr' },
    { row: 'a', action: 'deny' },
  ],
  ['a: deactivated before suspended', { account: { active: false }, ...cleared }, { row: 'a', action: 'deny' }],

  ['b: suspended here', cleared, { row: 'b', action: 'offer_set_up', level: '1fa' }],
  [
    'b: suspended here, going on with its session',
    { ...cleared, sessionLevel: '1fa' },
    { row: 'b', action: 'proceed', level: '1fa' },
  ],
  [
    'b: a client minimum yields to a suspension',
    { ...cleared, ...of({ minimumLevel: '2fa' }) },
    { row: 'b', action: 'offer_set_up', level: '1fa' },
  ],
  [
    'b: a voluntary acr yields too',
    { ...cleared, ...acr(false, '2fa') },
    { row: 'b', action: 'offer_set_up', level: '1fa' },
  ],
  [
    'b: the client refuses, a factor is there',
    { ...cleared, ...of({ acceptSuspended: false }) },
    { row: 'b', action: 'second_factor' },
  ],
  [
    'b: the client refuses a session made under it',
    { ...cleared, ...of({ acceptSuspended: false }), sessionLevel: '1fa' },
    { row: 'b', action: 'second_factor' },
  ],
  [
    'b: the client refuses, no factor',
    { ...cleared, ...of({ acceptSuspended: false }), ...none },
    { row: 'b', action: 'unmet' },
  ],
  [
    'b: essential 2fa, a factor is there',
    { ...cleared, ...acr(true, '2fa') },
    { row: 'b', action: 'second_factor', need: '2fa' },
  ],
  ['b: essential 2fa, no factor', { ...cleared, ...acr(true, '2fa'), ...none }, { row: 'b', action: 'unmet' }],
  ['b: essential phr, the factor is weaker', { ...cleared, ...acr(true, 'phr') }, { row: 'b', action: 'unmet' }],
  ['b: essential 1fa is no obstacle', { ...cleared, ...acr(true, '1fa') }, { row: 'b', action: 'offer_set_up' }],
  [
    'b: acr_values_required counts as essential',
    { ...cleared, ...acr(false, '2fa'), ...of({ acrValuesRequired: true }), ...none },
    { row: 'b', action: 'unmet' },
  ],
  [
    'b: found the phone',
    { ...cleared, ...of({ acceptSuspended: false }), sessionLevel: '2fa' },
    { row: 'session', action: 'proceed', level: '2fa' },
  ],
  [
    'b: a set-up deadline does not matter meanwhile',
    { ...cleared, ...none, setUp: { required: true, laterUntilTomorrow: false } },
    { row: 'b', action: 'offer_set_up' },
  ],
  [
    'an ended suspension counts for nothing',
    { suspension: { until: NOW, browserCleared: true } },
    { row: 'e', action: 'second_factor' },
  ],

  ['c: suspended elsewhere', uncleared, { row: 'c', action: 'second_factor_with_access_code' }],
  [
    'c: suspended elsewhere, no factor',
    { ...uncleared, ...none },
    { row: 'c', action: 'second_factor_with_access_code' },
  ],
  [
    'c: the remembered browser does not count',
    { ...uncleared, rememberedBrowser: true },
    { row: 'c', action: 'second_factor_with_access_code' },
  ],
  [
    'c: a single-factor session does not slip through',
    { ...uncleared, ...none, sessionLevel: '1fa' },
    { row: 'c', action: 'second_factor_with_access_code' },
  ],
  ['c: an access code would be no use', { ...uncleared, ...acr(true, '2fa') }, { row: 'c', action: 'second_factor' }],
  ['c: nothing would be of use', { ...uncleared, ...none, ...acr(true, '2fa') }, { row: 'c', action: 'unmet' }],
  [
    'c: an earlier full session stays',
    { ...uncleared, sessionLevel: '2fa' },
    { row: 'session', action: 'proceed', level: '2fa' },
  ],

  ['d: remembered', { rememberedBrowser: true }, { row: 'd', action: 'proceed', level: '2fa-remembered' }],
  [
    'd: opted in at 2fa',
    { rememberedBrowser: true, ...of({ minimumLevel: '2fa' }) },
    { row: 'd', action: 'proceed', level: '2fa-remembered' },
  ],
  [
    'd: not accepted',
    { rememberedBrowser: true, ...of({ acceptRememberedBrowser: false }) },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'd: not when an acr is requested',
    { rememberedBrowser: true, ...acr(false, '2fa') },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'd: not in place of a key',
    { rememberedBrowser: true, factorLevels: ['phr'], accountMinimum: 'phr' },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'd: not in place of set-up',
    { rememberedBrowser: true, ...none, accountMinimum: '2fa' },
    { row: 'f', action: 'set_up' },
  ],
  [
    'd: not for a live session below need',
    { rememberedBrowser: true, sessionLevel: '1fa' },
    { row: 'e', action: 'second_factor' },
  ],

  ['e: whatever the client asks', {}, { row: 'e', action: 'second_factor', need: '1fa', factorLevel: '2fa' }],
  [
    'e: a single-factor session of an account with a factor',
    { sessionLevel: '1fa' },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'e: a fallback factor alone counts',
    { factorLevels: ['2fa'], accountMinimum: '2fa' },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'e: step-up',
    { factorLevels: ['2fa', 'phr'], sessionLevel: '2fa', ...acr(true, 'phr') },
    { row: 'e', action: 'second_factor', need: 'phr', factorLevel: 'phr' },
  ],
  [
    'e: a voluntary key hides no other method',
    { factorLevels: ['2fa', 'phr'], ...acr(false, 'phr') },
    { row: 'e', action: 'second_factor', need: 'phr', factorLevel: '2fa' },
  ],
  ['e: key asked for, none enrolled, none on offer', { ...acr(true, 'phr') }, { row: 'e', action: 'unmet' }],
  [
    'e: key asked for, enrolled after 2fa',
    { ...acr(true, 'phr'), enrollableLevel: 'phr' },
    { row: 'e', action: 'second_factor', enrolLevel: 'phr' },
  ],
  [
    'e: key asked for, 2fa done',
    { ...acr(true, 'phr'), enrollableLevel: 'phr', sessionLevel: '2fa' },
    { row: 'e', action: 'set_up', enrolLevel: 'phr' },
  ],
  [
    'e: voluntary key out of reach, before',
    { ...acr(false, 'phr') },
    { row: 'e', action: 'second_factor', need: '2fa' },
  ],
  [
    'e: voluntary key out of reach, after',
    { ...acr(false, 'phr'), sessionLevel: '2fa' },
    { row: 'session', action: 'proceed', level: '2fa' },
  ],
  [
    'e: voluntary key out of reach, required',
    { ...acr(false, 'phr'), ...of({ acrValuesRequired: true }), sessionLevel: '2fa' },
    { row: 'e', action: 'unmet' },
  ],
  [
    'e: voluntary key at hand, another method used',
    { factorLevels: ['2fa', 'phr'], ...acr(false, 'phr'), sessionLevel: '2fa', provedInThisSignIn: true },
    { row: 'session', action: 'proceed', level: '2fa' },
  ],
  [
    'e: essential key at hand, another method used',
    { factorLevels: ['2fa', 'phr'], ...acr(true, 'phr'), sessionLevel: '2fa', provedInThisSignIn: true },
    { row: 'e', action: 'unmet' },
  ],
  [
    'e: the weakest of several essential values is enough',
    { ...acr(true, 'phr', '2fa'), sessionLevel: '2fa' },
    { row: 'session', action: 'proceed', level: '2fa' },
  ],
  [
    'e: essential values that mean nothing',
    { requested: { levels: [], essential: true, unknown: true }, sessionLevel: 'phr' },
    { row: 'e', action: 'unmet' },
  ],
  [
    'e: voluntary values that mean nothing',
    { requested: { levels: [], essential: false, unknown: true } },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'e: a remembered session is no 2fa',
    { sessionLevel: '2fa-remembered', ...acr(true, '2fa') },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'e: a remembered session at a client that refuses it',
    { sessionLevel: '2fa-remembered', ...of({ acceptRememberedBrowser: false }) },
    { row: 'e', action: 'second_factor' },
  ],
  [
    'a remembered session at a client that opted in',
    { sessionLevel: '2fa-remembered', ...of({ minimumLevel: '2fa' }) },
    { row: 'session', action: 'proceed', level: '2fa-remembered' },
  ],

  ['f: client minimum', { ...none, ...of({ minimumLevel: '2fa' }) }, { row: 'f', action: 'set_up', enrolLevel: '2fa' }],
  [
    'f: group rule, with grace running',
    { ...none, accountMinimum: '2fa', setUp: { required: true, deadline: LATER, laterUntilTomorrow: true } },
    { row: 'f', action: 'set_up' },
  ],
  ['f: essential acr', { ...none, ...acr(true, '2fa') }, { row: 'f', action: 'set_up', need: '2fa' }],
  [
    'f: deadline passed',
    { ...none, setUp: { required: true, deadline: EARLIER, laterUntilTomorrow: true } },
    { row: 'f', action: 'set_up' },
  ],
  [
    'f: deadline passed at this very moment',
    { ...none, setUp: { required: true, deadline: NOW, laterUntilTomorrow: true } },
    { row: 'f', action: 'set_up' },
  ],
  [
    'f: no deadline is no grace',
    { ...none, setUp: { required: true, laterUntilTomorrow: true } },
    { row: 'f', action: 'set_up' },
  ],
  [
    'f: deadline passed during a session',
    { ...none, setUp: { required: true, deadline: EARLIER, laterUntilTomorrow: false }, sessionLevel: '1fa' },
    { row: 'f', action: 'set_up' },
  ],
  [
    'f: a bare password sets nothing up',
    { ...none, accountMinimum: '2fa', firstEnrolmentPermitted: false },
    { row: 'f', action: 'set_up_not_permitted' },
  ],
  ['f: a key that nobody can enrol', { ...none, ...acr(true, 'phr') }, { row: 'f', action: 'unmet' }],
  [
    'f: a key that can be enrolled',
    { ...none, ...acr(true, 'phr'), enrollableLevel: 'phr' },
    { row: 'f', action: 'set_up', enrolLevel: 'phr' },
  ],

  [
    'g: grace',
    { ...none, setUp: { required: true, deadline: LATER, laterUntilTomorrow: false } },
    { row: 'g', action: 'offer_set_up', level: '1fa' },
  ],
  [
    'g: later',
    { ...none, setUp: { required: true, deadline: LATER, laterUntilTomorrow: true } },
    { row: 'g', action: 'proceed', level: '1fa' },
  ],
  [
    'g: nothing to offer to a bare password',
    { ...none, firstEnrolmentPermitted: false, setUp: { required: true, deadline: LATER, laterUntilTomorrow: false } },
    { row: 'g', action: 'proceed', level: '1fa' },
  ],

  ['h: nothing demanded', none, { row: 'h', action: 'proceed', level: '1fa' }],
  [
    'h: voluntary 2fa, nothing to prove it with',
    { ...none, ...acr(false, '2fa') },
    { row: 'h', action: 'proceed', level: '1fa' },
  ],
  [
    'h: a deadline without a demand',
    { ...none, setUp: { required: false, deadline: EARLIER, laterUntilTomorrow: false } },
    { row: 'h', action: 'proceed' },
  ],
];

describe('the decision after the right password', () => {
  it.each(cases)('%s', (_name, change, expected) => {
    expect(decide({ ...plain, ...change })).toMatchObject(expected);
  });
});
