import { describe, expect, it } from '@jest/globals';
import {
  accountMinimum,
  calendarDay,
  levelOfAcr,
  needFor,
  type PolicyRules,
  satisfiedAcr,
  setUpState,
} from '../../src/policy/index.js';

const MFA = 'https://refeds.org/profile/mfa';
const aliases = { [MFA]: '2fa' } as const;
const TWO = 'urn:countersign:acr:2fa';
const ONE = 'urn:countersign:acr:1fa';
const REMEMBERED = 'urn:countersign:acr:2fa-remembered';

describe('acr', () => {
  it('knows its own values and the aliases, nothing inherited', () => {
    expect(levelOfAcr(TWO)).toBe('2fa');
    expect(levelOfAcr('phr')).toBe('phr');
    expect(levelOfAcr(MFA)).toBeUndefined();
    expect(levelOfAcr(MFA, aliases)).toBe('2fa');
    expect(levelOfAcr('constructor', aliases)).toBeUndefined();
  });

  it.each([
    [[MFA, TWO], '2fa', MFA],
    [['phr', MFA], '2fa', MFA],
    [[ONE], 'phr', ONE],
    [['phr'], '2fa', undefined],
    [[TWO], '2fa-remembered', undefined],
    [[REMEMBERED], '2fa-remembered', REMEMBERED],
    [['unheard of', ONE], '1fa', ONE],
    [[ONE], undefined, undefined],
    [[], 'phr', undefined],
  ] as const)('of %j a session at %s satisfies %s', (requested, level, expected) => {
    expect(satisfiedAcr(requested, level, aliases)).toBe(expected);
  });
});

const MAY = new Date('2026-05-01T00:00:00Z');
const JUNE = new Date('2026-06-01T00:00:00Z');
const NOW = new Date('2026-04-01T22:30:00Z');
const rules: PolicyRules = {
  everyone: { setUp: { required: true, deadline: JUNE } },
  groups: {
    finance: { minimumLevel: '2fa', setUp: { required: true, deadline: MAY } },
    operators: { minimumLevel: 'phr', setUp: { required: true } },
  },
};

describe('account and group rules', () => {
  it('takes the strictest minimum that applies', () => {
    expect(accountMinimum([], rules)).toBe('1fa');
    expect(accountMinimum(['finance', 'operators'], rules)).toBe('phr');
    expect(accountMinimum(['toString'], rules)).toBe('1fa');
    expect(needFor({ minimumLevel: 'phr' }, ['finance'], rules)).toBe('phr');
    expect(needFor({ minimumLevel: '1fa' }, ['finance'], rules)).toBe('2fa');
  });

  it('takes the earliest deadline, and none where one demand has none', () => {
    expect(setUpState(rules, {}, [], NOW, 'UTC').deadline).toEqual(JUNE);
    expect(setUpState(rules, {}, ['finance'], NOW, 'UTC').deadline).toEqual(MAY);
    expect(setUpState(rules, {}, ['finance', 'operators'], NOW, 'UTC')).toEqual({
      required: true,
      laterUntilTomorrow: false,
    });
    expect(setUpState(rules, { setUp: { deadline: NOW } }, ['finance'], NOW, 'UTC').deadline).toEqual(NOW);
    expect(setUpState({}, {}, ['finance'], NOW, 'UTC')).toEqual({ required: false, laterUntilTomorrow: false });
    expect(setUpState({}, { setUp: { laterOn: '2026-03-31' } }, [], NOW, 'UTC').required).toBe(false);
  });

  it('keeps "later" until the day changes in the configured zone', () => {
    const standing = { setUp: { laterOn: '2026-04-01' } };
    expect(setUpState(rules, standing, [], NOW, 'UTC').laterUntilTomorrow).toBe(true);
    expect(setUpState(rules, standing, [], NOW, 'Europe/Berlin').laterUntilTomorrow).toBe(false);
    expect(calendarDay(NOW, 'Europe/Berlin')).toBe('2026-04-02');
    expect(calendarDay(NOW, 'America/New_York')).toBe('2026-04-01');
    expect(() => calendarDay(NOW, 'Nowhere/Town')).toThrow(RangeError);
  });
});
