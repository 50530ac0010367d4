import { CIRCUMSTANCES, REQUEST_STATES, SUSPENSION_ENDS, VERIFICATIONS } from '../../src/recovery-desk/contract.js';
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

/** People, and what is done about them. @param events rows of the audit. */
export function peopleSamples(at: At, events: readonly Locals[]): Record<string, Locals> {
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
        until: at(DAY),
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
      createdAt: at(-300 * DAY),
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
      { method: 'totp', label: 'Work phone', createdAt: at(-200 * DAY), lastUsedAt: at(-DAY), revokeHref: '/revoke/1' },
      { method: 'recovery_code', label: '', createdAt: at(-200 * DAY), revokeHref: '/revoke/2' },
    ],
    passes: [{ createdAt: at(-60), expiresAt: at(DAY) }],
  };
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
    verifications: VERIFICATIONS,
    hourChoices: [24, 48],
    ticks: ticks.map((tick) => ({ ...tick, isTicked: false })),
  };
  const ROLES = ['auditor', 'helpdesk', 'admin', 'owner'];

  return {
    'console/people': people,
    'console/people#none': { ...people, rows: [], filter: { q: 'zz', covered: 'false', state: 'active' } },
    'console/people#nobody': { ...people, rows: [], filter: {}, isFiltered: false },
    'console/profile': profile,
    'console/profile#suspended': {
      ...profile,
      standing: 'suspended',
      suspension: { until: at(DAY), secondsLeft: 86_400 },
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
        { startedAt: at(-DAY), clientIds: [] },
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
          until: at(DAY),
          startedByName: 'Ben Okafor',
          verifiedBy: 'video',
          reason: 'Ticket 4711',
        },
        ...SUSPENSION_ENDS.map((end, n) => ({
          hours: n % 2 ? 48 : 72,
          isRunning: false,
          createdAt: at(-2 * DAY),
          until: at(-DAY),
          endedAt: at(-DAY),
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
        'CLIENT_WITHOUT_SECRET',
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
      expiresAt: at(DAY),
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
  };
}
