/** Every list goes along an index with every filter, and reads about as much as it shows, however many there are. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ADMIN_APP, type Administrator, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';
import { WITH_SMS } from '../../support/made-up-delivery.js';

interface Profiled {
  ns: string;
  op: string;
  planSummary?: string;
  docsExamined?: number;
  keysExamined?: number;
  nreturned?: number;
  command?: Record<string, unknown>;
}

const MANY = 3_000;
const PAGE = 20;

let app: TestApp;
let owner: Administrator;
let subject: string;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)], methods: WITH_SMS }));
  owner = await administrator(app, 'owner@example.com', ['owner']);
  subject = (await app.account('subject@example.com', { groups: ['few'] })).id;
  await crowd();
}, 60_000);
afterAll(() => app.stop());

/** So many that a scan shows. */
async function crowd(): Promise<void> {
  const at = (n: number): Date => new Date(Date.now() - n * 1000);
  const insert = (name: string, count: number, make: (n: number) => object) =>
    app.database.collection<{ _id: string }>(name).insertMany(
      Array.from({ length: count }, (_, n) => ({
        _id: `crowd-${String(n).padStart(5, '0')}`,
        createdAt: at(n),
        ...make(n),
      })),
    );
  const later = new Date(Date.now() + 86_400_000);
  await insert('accounts', MANY, (n) => ({
    login: `crowd-${n}`,
    name: `Crowd ${n}`,
    searchWords: [`crowd-${n}`, 'crowd', String(n)],
    groups: [n % 2 ? 'odd' : 'even'],
    active: n % 3 !== 0,
    coverage: { covered: n % 5 === 0, level: n % 5 === 0 ? '2fa' : '1fa', methods: n % 5 === 0 ? ['totp'] : [] },
    updatedAt: at(n),
    version: 1,
  }));
  await insert('recovery_requests', 500, (n) => ({
    accountId: `crowd-${n % 50}`,
    state: 'declined',
    expiresAt: at(n),
    changedAt: at(n),
    circumstances: 'other',
    origin: {},
    failedMethods: [],
    isKnownBrowser: false,
    browserHash: `b-${n}`,
    numberIndex: `n-${n}`,
  }));
  await insert('suspensions', 500, (n) => ({
    accountId: `crowd-${n % 50}`,
    until: at(n),
    hours: 24,
    otherBrowsers: 'access_code',
    clearedBrowsers: 0,
    accessCodesIssued: 0,
  }));
  await insert('access_passes', 500, (n) => ({ accountId: `crowd-${n % 50}`, expiresAt: later, hash: `h-${n}` }));
  await insert('clients', 500, (n) => ({ metadata: { client_id: `crowd-${n}`, client_name: 'Crowd' }, version: 1 }));
  await insert('webhooks', 100, (n) => ({
    url: `https://crowd.example/${n}`,
    events: [],
    state: 'active',
    updatedAt: at(n),
    version: 1,
  }));
  await insert('sessions', 500, (n) => ({ accountId: `crowd-${n % 50}`, lastSignInAt: at(n), expiresAt: later }));
  await insert('oidc', 500, (n) => ({ payload: { kind: 'Grant', accountId: `crowd-${n % 50}` }, expiresAt: later }));
  // 30 countries on each day: a month of days is read, the years before are not.
  await insert('sms_usage', MANY, (n) => ({
    day: at(Math.floor(n / 30) * 86_400)
      .toISOString()
      .slice(0, 10),
    country: 'DE',
    sent: 1,
    expiresAt: later,
  }));
  await insert('audit_events', MANY, (n) => ({
    _id: `${(Date.now() - n * 1000).toString(16).padStart(12, '0')}crowd${n}`,
    at: at(n),
    type: n % 2 ? 'authn_login_success' : 'factor_rejected',
    actor: { type: 'account', id: `crowd-${n % 50}` },
    accountId: `crowd-${n % 50}`,
    details: { method: 'totp' },
  }));
}

const since = (): string => new Date(Date.now() - 30_000).toISOString();
const paths = (): [path: string, collection: string, most: number][] => [
  ['/accounts', 'accounts', PAGE],
  ['/accounts?q=crowd', 'accounts', PAGE + 10],
  ['/accounts?q=subject', 'accounts', PAGE],
  ['/accounts?q=crowd+29', 'accounts', 400],
  ['/accounts?q=nobody', 'accounts', PAGE],
  ['/accounts?group=odd', 'accounts', PAGE],
  ['/accounts?group=few', 'accounts', PAGE],
  ['/accounts?state=deactivated', 'accounts', PAGE],
  ['/accounts?covered=true', 'accounts', PAGE],
  ['/accounts?level=2fa', 'accounts', PAGE],
  [`/accounts?updated_since=${since()}`, 'accounts', 60],
  ['/accounts?group=even&state=active&covered=true', 'accounts', 400],
  ['/recovery-requests', 'recovery_requests', PAGE],
  ['/recovery-requests?state=declined', 'recovery_requests', PAGE],
  ['/recovery-requests?state=open', 'recovery_requests', PAGE],
  [`/recovery-requests?accountId=${subject}`, 'recovery_requests', PAGE],
  ['/suspensions', 'suspensions', PAGE],
  ['/suspensions?running=true', 'suspensions', PAGE],
  [`/suspensions?accountId=${subject}`, 'suspensions', PAGE],
  [`/accounts/${subject}/access-passes`, 'access_passes', PAGE],
  ['/clients', 'clients', PAGE],
  ['/webhooks', 'webhooks', PAGE],
  [`/accounts/${subject}/sessions`, 'sessions', PAGE],
  [`/accounts/${subject}/grants`, 'oidc', PAGE],
  ['/audit-events', 'audit_events', PAGE],
  ['/audit-events?type=factor_rejected', 'audit_events', PAGE],
  ['/audit-events?actor=crowd-7', 'audit_events', PAGE],
  ['/audit-events?target=crowd-7', 'audit_events', PAGE],
  [`/audit-events?since=${since()}`, 'audit_events', PAGE],
  [`/audit-events?until=${since()}`, 'audit_events', PAGE],
  ['/reports/coverage', 'accounts', MANY],
  ['/reports/sms?days=2', 'sms_usage', 90],
];

test('no list scans, and none reads much more than a page', async () => {
  const { db } = app.database.connection;
  if (!db) throw new Error('no database');
  const bad: unknown[] = [];
  for (const [path, collection, most] of paths()) {
    const isPaged = !/sessions|grants|reports/.test(path);
    const query = isPaged ? `${path}${path.includes('?') ? '&' : '?'}limit=${PAGE}` : path;
    await db.command({ profile: 2, sampleRate: 1 });
    const answer = await owner.get(query);
    const second = answer.body.next ? await owner.get(`${query}&cursor=${answer.body.next}`) : answer;
    await db.command({ profile: 0 });
    expect([path, answer.status, second.status]).toEqual([path, 200, 200]);
    const profile = db.collection<Profiled>('system.profile');
    const seen = await profile
      .find({ op: { $in: ['query', 'command', 'getmore'] }, ns: { $not: /system\./ } })
      .toArray();
    expect([path, seen.some(({ ns }) => ns.endsWith(`.${collection}`))]).toEqual([path, true]);
    // One more is read than shown, to know whether there is a next page.
    const isBad = ({ planSummary = '', docsExamined = 0, ns }: Profiled): boolean =>
      planSummary.includes('COLLSCAN') || (ns.endsWith(`.${collection}`) && docsExamined > most + 2);
    bad.push(
      ...seen.filter(isBad).map(({ planSummary, docsExamined, keysExamined, command }) => ({
        path,
        planSummary,
        docsExamined,
        keysExamined,
        filter: command?.filter,
      })),
    );
    await profile.drop();
  }
  expect(bad).toEqual([]);
}, 60_000);
