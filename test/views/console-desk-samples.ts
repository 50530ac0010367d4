import { CIRCUMSTANCES, OTHER_BROWSERS, REQUEST_STATES, VERIFICATIONS } from '../../src/recovery-desk/contract.js';
import {
  type At,
  DAY,
  filled,
  form,
  frameOf,
  type Locals,
  named,
  problem,
  ticks,
  values,
} from './console-sample-parts.js';

/** Requests: the queue, one of them, and what became of it. */
export function deskSamples(at: At): Record<string, Locals> {
  const row = {
    href: '/console/requests/r1',
    state: 'open',
    createdAt: at(-4),
    ageSeconds: 240,
    name: 'Anna Berger',
    login: 'anna@example.com',
    groups: ['Sales', 'Vienna'],
    circumstances: 'lost_or_stolen',
    ip: '192.0.2.17',
    browser: 'Firefox, Windows',
    isKnownBrowser: true,
    failedMethods: ['totp'],
    openRequests: 1,
  };
  const rows = [
    {
      ...row,
      href: '/console/requests/r2',
      createdAt: at(-38),
      ageSeconds: 2280,
      name: 'Maximilian Freiherr von Hohenberg-Lindenau',
      login: 'maximilian.von.hohenberg-lindenau@subsidiary.example.com',
      groups: [],
      circumstances: 'broken',
      ip: '2001:db8:85a3::8a2e:370:7334',
      browser: 'Safari, iPhone',
      isKnownBrowser: false,
      failedMethods: [],
      openRequests: 2,
    },
    row,
    {
      ...row,
      href: '/console/requests/r3',
      ageSeconds: 60,
      name: 'Ben Okafor',
      circumstances: 'left_at_home',
      outOfReach: 'own',
    },
    {
      ...row,
      href: '/console/requests/r4',
      ageSeconds: 12,
      name: 'Olga Owner',
      circumstances: 'other',
      browser: undefined,
      outOfReach: 'role',
    },
  ];
  const STATES = ['open', 'approved', 'declined', 'all'];
  const queue = {
    ...frameOf('queue'),
    state: 'open',
    tabs: STATES.map((id) => ({ id, href: `/console?state=${id}` })),
    rows,
    isLive: true,
    eventsHref: '/console/queue/events',
    refreshHref: '/console',
    hasMore: false,
  };

  const request = {
    ...frameOf('queue', ['helpdesk']),
    ...form,
    isMoved: false,
    values,
    name: 'Anna Berger',
    login: 'anna@example.com',
    groups: ['Sales', 'Vienna'],
    personHref: '/console/people/a1',
    queueHref: '/console',
    request: {
      createdAt: at(-4),
      ageSeconds: 240,
      expiresAt: at(DAY),
      circumstances: 'lost_or_stolen',
      contact: '+43 660 0000000',
      note: 'My phone is gone since the tram this morning. I have a meeting at nine.',
      applicationName: 'Time Sheets',
      ip: '192.0.2.17',
      browser: 'Firefox, Windows',
      isKnownBrowser: true,
      failedMethods: ['totp'],
    },
    flags: [],
    verifications: VERIFICATIONS,
    hourChoices: [24, 48],
    ticks,
  };
  const allFlags = [
    { kind: 'unknown_browser' },
    { kind: 'several_open', count: 2 },
    { kind: 'again_today', count: 2 },
    { kind: 'new_method' },
  ];

  const decision = {
    outcome: 'approved',
    at: at(-1),
    by: 'a2',
    verifiedBy: 'called_number_on_file',
    reason: 'Ticket 4711',
    otherBrowsers: 'access_code',
    revoked: 1,
    secondsAgo: 60,
  };
  const decided = {
    ...frameOf('queue'),
    name: 'Anna Berger',
    state: 'approved',
    isLate: false,
    isJustDecided: true,
    decision,
    changedAt: at(-1),
    until: at(DAY),
    isRunning: true,
    personHref: '/console/people/a1',
    queueHref: '/console',
    codeHref: '/console/people/a1/access-code',
    endHref: '/console/people/a1/end-suspension',
  };

  return {
    'console/queue': queue,
    'console/queue#nobody': { ...queue, rows: [] },
    'console/queue#more': { ...queue, hasMore: true, nextHref: '/console?cursor=x' },
    'console/queue#all': {
      ...queue,
      state: 'all',
      isLive: false,
      rows: REQUEST_STATES.map((state, n) => ({ ...row, href: `/r/${n}`, state, circumstances: CIRCUMSTANCES[n % 4] })),
    },
    'console/queue#none': { ...queue, state: 'declined', isLive: false, rows: [] },
    'console/request': request,
    'console/request#flags': {
      ...request,
      flags: allFlags,
      request: { ...request.request, isKnownBrowser: false, browser: undefined, circumstances: 'other' },
    },
    'console/request#confirmed': { ...request, values: filled, isFilled: true, isConfirmed: true, action: '/a?form=x' },
    'console/request#moved': { ...request, values: filled, isFilled: true, isMoved: true },
    'console/request#wrong': { ...request, ...problem('RECOVERY_NUMBER_WRONG'), values: filled },
    'console/request#check': { ...request, ...problem('check_missing'), values: { ...filled, verifiedBy: '' } },
    'console/request#number': { ...request, ...problem('number_missing'), values },
    ...named('console/request', ['own', 'role', 'scope'], (outOfReach) => ({ ...request, outOfReach })),
    ...named(
      'console/decided',
      REQUEST_STATES.filter((state) => state !== 'open'),
      (state) => ({
        ...decided,
        state,
        ...(state === 'approved' || state === 'declined' ? {} : { decision: undefined }),
        ...(state === 'approved'
          ? {}
          : { until: undefined, isJustDecided: false, codeHref: undefined, endHref: undefined }),
      }),
    ),
    'console/decided#late': {
      ...decided,
      isLate: true,
      isJustDecided: false,
      decision: { ...decision, byName: 'Cleo Lindberg', secondsAgo: 10, otherBrowsers: OTHER_BROWSERS[1] },
    },
    'console/decided#late-self': { ...decided, isLate: true, isJustDecided: false },
    'console/decided#gone': {
      ...decided,
      state: 'withdrawn',
      isLate: true,
      isJustDecided: false,
      decision: undefined,
      until: undefined,
    },
  };
}
