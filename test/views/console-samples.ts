import { columns } from '../../src/admin/console/charts.js';
import { AUDIT_EVENTS } from '../../src/audit/contract.js';
import { deskSamples } from './console-desk-samples.js';
import { peopleSamples } from './console-people-samples.js';
import { type At, DAY, form, frameOf, type Locals, named, problem } from './console-sample-parts.js';
import { smsSamples } from './console-sms-samples.js';

/** Locals of the console's pages. */
export function consoleSamples(at: At): Record<string, Locals> {
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
    details: [
      ['acr', 'urn:countersign:acr:1fa'],
      ['amr', 'pwd'],
      ['method', 'totp'],
      ['label', 'Authenticator'],
      ['application', 'Time Sheets'],
      ['until', '2026'],
      ['expiresAt', '2026'],
      ['hours', '24'],
      ['verifiedBy', 'video'],
      ['otherBrowsers', 'access_code'],
      ['circumstances', 'broken'],
      ['allowedBy', 'Hugo Brandt'],
      ['clearedBy', 'request'],
      ['end', 'administrator'],
      ['reason', 'Lost'],
      ['role', 'helpdesk'],
      ['suspensionId', '1d01355d3ab7'],
    ].map(([name = '', value]) => ({ name, value, isId: name.endsWith('Id') })),
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
    source: 'registered',
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
  const days = Array.from({ length: 14 }, (_, n) => ({
    day: `2026-11-${String(n + 10).padStart(2, '0')}`,
    total: n % 7 > 4 ? 40 : 280 + 23 * (n % 5),
    byMethod:
      n % 7 > 4
        ? { none: 10, recovery_code: 0, totp: 30 }
        : { none: 60 + n, recovery_code: n % 3 ? 0 : 14, totp: 206 + 23 * (n % 5) },
  }));
  const overview = {
    ...frameOf('overview'),
    accounts: 1284,
    covered: 1041,
    percent: 81,
    coverage: [
      { id: 'covered', value: 1041, x: 0, width: 812, percent: 81 },
      { id: 'uncovered', value: 243, x: 812, width: 188, percent: 19 },
    ],
    isFirstEnrolmentWeak: true,
    methods: [
      { id: 'totp', value: 1041, x: 0, width: 1000, percent: 60 },
      { id: 'recovery_code', value: 690, x: 0, width: 663, percent: 40 },
    ],
    signIns: {
      days: 14,
      width: 14 * 40,
      height: 160,
      columns: columns(days, ['totp', 'none', 'recovery_code']),
      totals: [
        { id: 'totp', value: 4031, x: 0, width: 1000, percent: 77 },
        { id: 'none', value: 1087, x: 0, width: 270, percent: 21 },
        { id: 'recovery_code', value: 87, x: 0, width: 22, percent: 2 },
      ],
      order: ['totp', 'none', 'recovery_code'],
      values: days.map(({ byMethod }) => byMethod),
    },
    suspended: { count: 2, isMore: false },
    suspensions: [
      { name: 'Anna Berger', href: '/p/1', until: at(DAY) },
      { name: 'Emil Krause', href: '/p/5', until: at(300) },
    ],
    open: { count: 4, isMore: false },
    oldestAt: at(-38),
    sms: { messages: 37, limit: 500, stopped: 1, href: '/console/sms' },
    queueHref: '/console',
    uncoveredHref: '/console/people?covered=false',
  };

  return {
    ...deskSamples(at),
    ...peopleSamples(at, events),
    ...smsSamples(at),
    'console/overview': overview,
    'console/overview#without_sms': { ...overview, sms: undefined },
    'console/overview#empty': {
      ...overview,
      accounts: 0,
      covered: 0,
      percent: 0,
      coverage: [],
      isFirstEnrolmentWeak: false,
      methods: [],
      signIns: { ...overview.signIns, totals: [], columns: [], values: [] },
      suspended: { count: 0, isMore: false },
      suspensions: [],
      open: { count: 0, isMore: false },
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
        source: n === 1 ? 'configuration' : 'registered',
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
    'console/client#invalid': {
      ...client,
      ...problem('API_INPUT_INVALID', 400),
      problem: {
        code: 'API_INPUT_INVALID',
        status: 400,
        document: { errors: [{ path: 'body.redirect_uris.0', message: 'must be an absolute URL' }] },
      },
      values: client.values,
    },
    'console/client#saved': { ...client, done: 'saved', kind: 'service', hasSecret: false },
    ...named('console/client', ['configuration', 'registered'], (source) => ({
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
