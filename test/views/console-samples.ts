import { AUDIT_EVENTS } from '../../src/audit/contract.js';
import {
  CIRCUMSTANCES,
  OTHER_BROWSERS,
  REQUEST_STATES,
  SUSPENSION_ENDS,
  VERIFICATIONS,
} from '../../src/recovery-desk/contract.js';

type Locals = Readonly<Record<string, unknown>>;
const named = (prefix: string, entries: readonly string[], locals: (entry: string) => Locals): Record<string, Locals> =>
  Object.fromEntries(entries.map((entry) => [`${prefix}#${entry}`, locals(entry)]));

/** Locals of the console's pages. @param at minutes from the samples' now. */
export function consoleSamples(at: (minutes: number) => Date): Record<string, Locals> {
  const day = 24 * 60;
  const SECTIONS = ['queue', 'people', 'overview', 'audit', 'clients'];
  const frameOf = (current: string, roles: readonly string[] = ['admin']) => ({
    frame: {
      name: 'Ben Okafor',
      roles,
      signOutAction: '/console/sign-out',
      sections: SECTIONS.map((id) => ({ id, href: `/console/${id}`, isCurrent: id === current })),
    },
  });
  const form = { action: '/console/action', key: 'k1', values: {}, isFilled: false, isConfirmed: false };
  const problem = (code: string, status = 422) => ({
    ...form,
    isFilled: true,
    problem: { code, status, document: {} },
  });

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

  const verifications = VERIFICATIONS;
  const ticks = [
    { name: 'revoke1', id: 'f1', method: 'totp', label: 'Work phone', isTicked: true },
    { name: 'revoke2', id: 'f2', method: 'recovery_code', label: '', isTicked: false },
  ];
  const values = { requestNumber: '', hours: '24', verifiedBy: '', otherBrowsers: 'access_code', reason: '' };
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
      expiresAt: at(day),
      circumstances: 'lost_or_stolen',
      contact: '+43 660 0000000',
      note: 'My phone is gone since the tram this morning. I have a meeting at nine.',
      clientId: 'time-sheets',
      ip: '192.0.2.17',
      browser: 'Firefox, Windows',
      isKnownBrowser: true,
      failedMethods: ['totp'],
    },
    flags: [],
    verifications,
    hourChoices: [24, 48],
    ticks,
  };
  const filled = { ...values, requestNumber: 'K7P 4QX', verifiedBy: 'called_number_on_file', hours: '48' };
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
    until: at(day),
    isRunning: true,
    personHref: '/console/people/a1',
    queueHref: '/console',
    codeHref: '/console/people/a1/access-code',
    endHref: '/console/people/a1/end-suspension',
  };

  const people = {
    ...frameOf('people'),
    action: '/console/people',
    filter: { q: 'ber' },
    states: ['active', 'deactivated'],
    isFiltered: true,
    isLaterPage: true,
    rows: [
      {
        href: '/p/1',
        name: 'Anna Berger',
        login: 'anna@example.com',
        groups: ['Sales', 'Vienna'],
        roles: [],
        standing: 'suspended',
        until: at(day),
      },
      {
        href: '/p/2',
        name: 'Ben Okafor',
        login: 'ben@example.com',
        groups: ['IT'],
        roles: ['helpdesk'],
        standing: 'protected',
      },
      {
        href: '/p/3',
        name: 'Cleo Lindberg',
        login: 'cleo@example.com',
        groups: [],
        roles: ['owner', 'auditor'],
        standing: 'unprotected',
      },
      {
        href: '/p/4',
        name: 'Dora Bergmann',
        login: 'dora@example.com',
        groups: [],
        roles: [],
        standing: 'deactivated',
      },
    ],
    nextHref: '/console/people?cursor=x',
  };

  const action = (id: string) => ({ id, href: `/console/people/a1/${id}` });
  const tabs = ['methods', 'sessions', 'requests', 'audit'].map((id) => ({ id, href: `/console/people/a1?tab=${id}` }));
  const profile = {
    ...frameOf('people', ['owner']),
    account: {
      name: 'Anna Berger',
      login: 'anna',
      email: 'anna@example.com',
      groups: ['Sales', 'Vienna'],
      roles: [],
      createdAt: at(-300 * day),
      level: '2fa',
    },
    standing: 'protected',
    groups: [
      {
        id: 'two_factor',
        actions: [24, 48, 72].map((hours) => ({
          id: 'suspend',
          hours,
          href: `/console/people/a1/suspend?hours=${hours}`,
        })),
      },
      { id: 'access', actions: ['access-pass', 'invite', 'reset-password', 'end-sessions'].map(action) },
      { id: 'account', actions: ['deactivate', 'reactivate', 'roles'].map(action) },
    ],
    tab: 'methods',
    tabs,
    factors: [
      { method: 'totp', label: 'Work phone', createdAt: at(-200 * day), lastUsedAt: at(-day), revokeHref: '/revoke/1' },
      { method: 'recovery_code', label: '', createdAt: at(-200 * day), revokeHref: '/revoke/2' },
    ],
    passes: [{ createdAt: at(-60), expiresAt: at(day) }],
  };
  const event = (type: string, more: Locals = {}) => ({
    at: at(-5),
    type,
    actorType: 'account',
    actor: 'Ben Okafor',
    target: 'Anna Berger',
    targetHref: '/console/people/a1',
    clientId: 'countersign-console',
    ip: '192.0.2.17',
    browser: 'Firefox, Windows',
    details: [{ name: 'hours', value: '24' }],
    ...more,
  });
  const events = [
    ...AUDIT_EVENTS.map((type) => event(type)),
    event('sessions_ended', { actorType: 'client', actor: undefined }),
    event('suspension_ended', { actorType: 'system', actor: undefined, details: [] }),
    event('user_created', {
      actorType: 'operator',
      actor: undefined,
      clientId: undefined,
      ip: undefined,
      browser: undefined,
    }),
  ];

  const act = (id: string, more: Locals = {}) => ({
    ...frameOf('people'),
    ...form,
    id,
    name: 'Anna Berger',
    isDangerous: false,
    fields: [],
    etag: '',
    backHref: '/console/people/a1',
    ...more,
  });
  const suspend = {
    fields: ['hours', 'verifiedBy', 'otherBrowsers', 'reason', 'revoke1'],
    values,
    verifications,
    hourChoices: [24, 48],
    ticks: ticks.map((tick) => ({ ...tick, isTicked: false })),
  };
  const ROLES = ['auditor', 'helpdesk', 'admin', 'owner'];

  const paste = {
    issuer: 'https://id.example.com',
    clientId: 'wiki-7f3a19',
    discovery: 'https://id.example.com/.well-known/openid-configuration',
    snippet:
      "import * as client from 'openid-client';\n\nconst configuration = await client.discovery(\n  new URL('https://id.example.com'),\n  'wiki-7f3a19',\n  process.env.CLIENT_SECRET,\n);",
  };
  const KINDS = ['server', 'browser', 'native', 'service'];
  const levels = ['1fa', '2fa', 'phr'];
  const client = {
    ...frameOf('clients'),
    ...form,
    values: { name: 'Wiki', redirectUris: 'https://wiki.example.com/cb', level: '2fa', acceptSuspended: 'yes' },
    etag: '"x"',
    name: 'Wiki',
    kind: 'server',
    source: 'database',
    isEditable: true,
    levels,
    hasSecret: true,
    ...paste,
    rotateHref: '/rotate',
    removeHref: '/remove',
    backHref: '/console/clients',
  };
  const newClient = {
    ...frameOf('clients'),
    ...form,
    values: { name: '', kind: 'server', redirectUris: '', level: '' },
    kinds: KINDS,
    levels,
    backHref: '/console/clients',
  };
  const overview = {
    ...frameOf('overview'),
    accounts: 1284,
    covered: 1041,
    percent: 81,
    coverage: [
      { id: 'covered', value: 1041, x: 0, width: 812, percent: 81 },
      { id: 'uncovered', value: 243, x: 812, width: 188, percent: 19 },
    ],
    signIns: [
      { id: 'totp', value: 4031, x: 0, width: 1000, percent: 93 },
      { id: 'recovery_code', value: 87, x: 0, width: 22, percent: 2 },
    ],
    suspended: 2,
    suspensions: [
      { name: 'Anna Berger', href: '/p/1', until: at(day) },
      { name: 'Emil Krause', href: '/p/5', until: at(300) },
    ],
    openRequests: 4,
    oldestAt: at(-38),
    queueHref: '/console',
    uncoveredHref: '/console/people?covered=false',
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
    'console/people': people,
    'console/people#none': { ...people, rows: [], filter: { q: 'zz', covered: 'false', state: 'active' } },
    'console/people#nobody': { ...people, rows: [], filter: {}, isFiltered: false },
    'console/profile': profile,
    'console/profile#suspended': {
      ...profile,
      standing: 'suspended',
      suspension: { until: at(day), secondsLeft: 86_400 },
      groups: [{ id: 'two_factor', actions: ['access-code', 'end-suspension'].map(action) }],
      done: 'suspend',
    },
    'console/profile#bare': {
      ...profile,
      account: { ...profile.account, level: '1fa', groups: [], roles: ['helpdesk'] },
      standing: 'unprotected',
      factors: [],
      passes: [],
      done: 'something',
    },
    'console/profile#key': { ...profile, account: { ...profile.account, level: 'phr' } },
    'console/profile#deactivated': { ...profile, standing: 'deactivated', outOfReach: 'role', groups: [] },
    'console/profile#own': { ...profile, outOfReach: 'own', groups: [] },
    'console/profile#sessions': {
      ...profile,
      tab: 'sessions',
      sessions: [
        {
          startedAt: at(-42),
          ip: '192.0.2.17',
          browser: 'Firefox, Windows',
          clientIds: ['time-sheets'],
          endHref: '/end/1',
        },
        { startedAt: at(-day), clientIds: [] },
      ],
    },
    'console/profile#no-sessions': { ...profile, tab: 'sessions', sessions: [] },
    'console/profile#requests': {
      ...profile,
      tab: 'requests',
      requests: REQUEST_STATES.map((state, n) => ({
        href: `/r/${n}`,
        state,
        createdAt: at(-n),
        circumstances: CIRCUMSTANCES[n % 4],
      })),
      suspensions: [
        {
          hours: 24,
          isRunning: true,
          createdAt: at(-60),
          until: at(day),
          startedByName: 'Ben Okafor',
          verifiedBy: 'video',
          reason: 'Ticket 4711',
        },
        ...SUSPENSION_ENDS.map((end, n) => ({
          hours: n % 2 ? 48 : 72,
          isRunning: false,
          createdAt: at(-2 * day),
          until: at(-day),
          endedAt: at(-day),
          end,
          startedByName: 'Ben Okafor',
        })),
      ],
    },
    'console/profile#no-requests': { ...profile, tab: 'requests', requests: [], suspensions: [] },
    'console/profile#audit': {
      ...profile,
      tab: 'audit',
      events: events.slice(0, 6),
      allHref: '/console/audit?target=a1',
    },
    'console/profile#no-audit': { ...profile, tab: 'audit', events: [], allHref: '/console/audit?target=a1' },
    ...named(
      'console/profile',
      ['end-suspension', 'invite', 'reset-password', 'deactivate', 'reactivate', 'end-sessions', 'end', 'revoke'],
      (done) => ({ ...profile, done }),
    ),
    'console/action': act('suspend', suspend),
    'console/action#check': { ...act('suspend', suspend), ...problem('check_missing'), values },
    'console/action#filled': { ...act('suspend', suspend), values: filled, isConfirmed: true },
    'console/action#end_suspension': act('end_suspension', { fields: ['reason'] }),
    'console/action#deactivate': act('deactivate', { isDangerous: true }),
    'console/action#revoke': act('revoke', {
      isDangerous: true,
      fields: ['etag'],
      factor: { method: 'totp', label: 'Work phone' },
    }),
    'console/action#roles': act('roles', {
      fields: ['role', 'change', 'etag'],
      roles: ROLES.map((role, n) => ({ role, isHeld: n === 1 })),
    }),
    ...named(
      'console/action',
      [
        'access_code',
        'access_pass',
        'invite',
        'reset_password',
        'reactivate',
        'end_sessions',
        'end',
        'rotate_secret',
        'remove_client',
      ],
      (id) => act(id),
    ),
    ...named(
      'console/action',
      [
        'SUSPENSION_RUNNING',
        'SUSPENSION_ENDED',
        'ACCOUNT_INACTIVE',
        'ACCOUNT_WITHOUT_ADDRESS',
        'LAST_OWNER',
        'API_SELF_FORBIDDEN',
        'API_TARGET_FORBIDDEN',
        'no_suspension',
      ],
      (code) => ({ ...act('invite'), ...problem(code, 409) }),
    ),
    ...named('console/action', ['400', '403', '409', '412', '422', '429', '503', '418'], (status) => ({
      ...act('invite'),
      ...problem('', Number(status)),
      problem: { code: '', status: Number(status), document: {}, retrySeconds: 30 },
    })),
    'console/secret': {
      ...frameOf('people'),
      id: 'access_code',
      name: 'Anna Berger',
      value: 'K7P4Q-X2M9T',
      backHref: '/p',
      againHref: '/a',
    },
    'console/secret#pass': {
      ...frameOf('people'),
      id: 'access_pass',
      name: 'Anna Berger',
      value: 'TFWQ-7KQX-M2RD-9VTH',
      expiresAt: at(day),
      backHref: '/p',
      againHref: '/a',
    },
    'console/secret#gone': {
      ...frameOf('clients'),
      id: 'rotate_secret',
      name: 'Wiki',
      backHref: '/p',
      againHref: '/a',
    },
    'console/secret#client': {
      ...frameOf('clients'),
      id: 'rotate_secret',
      name: 'Wiki',
      value: 'Q2x1mZ3sQ9-wW7dUo0kPz5tR8vN4bH6yJ_1aC3eG5iL',
      backHref: '/p',
      againHref: '/a',
    },
    'console/overview': overview,
    'console/overview#empty': {
      ...overview,
      accounts: 0,
      covered: 0,
      percent: 0,
      coverage: [],
      signIns: [],
      suspended: 0,
      suspensions: [],
      openRequests: 0,
      oldestAt: undefined,
    },
    'console/audit': {
      ...frameOf('audit'),
      action: '/console/audit',
      filter: { type: 'suspension_started', since: '2026-11-01' },
      types: AUDIT_EVENTS,
      isFiltered: true,
      isLaterPage: true,
      rows: events,
      exportHref: '/console/audit/export',
      nextHref: '/console/audit?cursor=x',
    },
    'console/audit#none': {
      ...frameOf('audit'),
      action: '/console/audit',
      filter: {},
      types: AUDIT_EVENTS,
      isFiltered: true,
      isLaterPage: false,
      rows: [],
      exportHref: '/console/audit/export',
    },
    'console/clients': {
      ...frameOf('clients'),
      rows: KINDS.map((kind, n) => ({
        id: `app-${n}`,
        name: ['Time Sheets', 'Wiki', 'Field App', 'Nightly Import'][n],
        kind,
        level: levels[n],
        source: ['database', 'configuration', 'built_in', 'database'][n],
        href: `/console/clients/app-${n}`,
      })),
      newHref: '/console/new-client',
      nextHref: '/console/clients?cursor=x',
      done: 'removed',
    },
    'console/clients#none': { ...frameOf('clients'), rows: [], newHref: '/console/new-client' },
    'console/new-client': newClient,
    'console/new-client#name': { ...newClient, ...problem('name_missing'), values: newClient.values },
    'console/new-client#redirect': {
      ...newClient,
      ...problem('redirect_missing'),
      values: { ...newClient.values, name: 'Wiki' },
    },
    'console/client-added': {
      ...frameOf('clients'),
      name: 'Wiki',
      kind: 'server',
      secret: 'Q2x1mZ3sQ9-wW7dUo0kPz5tR8vN4bH6yJ_1aC3eG5iL',
      ...paste,
      backHref: '/c',
    },
    'console/client-added#gone': { ...frameOf('clients'), name: 'Wiki', kind: 'server', ...paste, backHref: '/c' },
    'console/client': client,
    'console/client#saved': { ...client, done: 'saved', kind: 'service', hasSecret: false },
    ...named('console/client', ['configuration', 'built_in', 'database'], (source) => ({
      ...client,
      source,
      isEditable: false,
      values: { ...client.values, level: '' },
    })),
    ...named('console/problem', ['403', '404', '429', '503', '500'], (status) => ({
      ...frameOf('people'),
      status: Number(status),
      homeHref: '/console',
      ...(status === '429' ? { retrySeconds: 30 } : {}),
    })),
    'console/no-role': { frame: { name: 'Anna Berger', roles: [], signOutAction: '/console/sign-out', sections: [] } },
    ...named('console/signed-out', ['signed_out', 'incomplete', 'unmet'], (reason) => ({
      reason,
      signInHref: '/console',
    })),
  };
}
