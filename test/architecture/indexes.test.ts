/** Every query of the running system is answered by an index, and reads about as much as it returns. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { APP, appJourney } from './app-journey.js';
import { consoleJourney } from './console-journey.js';
import { deskJourney } from './desk-journey.js';
import { SMS, textsJourney } from './texts-journey.js';

interface Profiled {
  ns: string;
  op: string;
  planSummary?: string;
  docsExamined?: number;
  keysExamined?: number;
  nreturned?: number;
  nMatched?: number;
  ndeleted?: number;
  command?: Record<string, unknown>;
}

/** A query may look at a few documents of the same person to find the one it wants. */
const FEW = 8;

let app: TestApp;
let rp: RelyingParty;
let third: RelyingParty;
let anna: Person;
let ben: Person;
let cleo: Person;
let dora: Account;

beforeAll(async () => {
  app = await startApp({
    methods: [{ id: 'totp' }, SMS, { id: 'recovery_code' }, APP],
    clients: [
      { ...RP, issue_refresh_token: true },
      { ...RP, client_id: 'third', first_party: false },
    ],
  });
  rp = new RelyingParty(app.issuer);
  third = new RelyingParty(app.issuer, 'third');
  await crowd();
  anna = await person(app, 'anna@example.com');
  ben = await person(app, 'ben@example.com');
  cleo = await person(app, 'cleo@example.com');
  dora = await app.account('dora@example.com');
  for (let n = 0; n < 3; n += 1) await signIn(app.browser(), rp, ben);
});
afterAll(() => app.stop());

/** Enough of everybody else for a scan to show, whichever index it goes along. */
async function crowd(): Promise<void> {
  const later = new Date(Date.now() + 86_400_000);
  const past = new Date(Date.now() - 86_400_000);
  const many = (make: (n: number) => object) =>
    Array.from({ length: 40 }, (_, n) => ({ _id: `crowd-${n}`, ...make(n) }));
  const insert = (name: string, make: (n: number) => object) =>
    app.database.collection<{ _id: string }>(name).insertMany(many(make));
  const accountId = 'crowd';
  await insert('accounts', (n) => ({
    login: `crowd-${n}`,
    name: 'Crowd',
    groups: [],
    active: true,
    createdAt: past,
    updatedAt: past,
  }));
  await insert('sessions', () => ({ accountId, lastSignInAt: later, expiresAt: later }));
  await insert('audit_events', () => ({ accountId, type: 'authn_login_success', at: past, actor: { type: 'system' } }));
  await insert('factors', () => ({ accountId, method: 'totp', state: 'active' }));
  await insert('one_time_links', (n) => ({ tokenHash: `crowd-${n}`, purpose: 'not_me', accountId, expiresAt: later }));
  await insert('oidc', (n) => ({ ids: [`crowd-${n}`], payload: { accountId, grantId: 'crowd' }, expiresAt: later }));
  await insert('webhooks', () => ({ url: 'https://hooks.example', events: [], state: 'disabled', createdAt: later }));
  await insert('webhook_deliveries', () => ({ webhookId: 'crowd', state: 'delivered', createdAt: later }));
  await insert('recovery_requests', (n) => ({
    accountId: `crowd-${n}`,
    browserHash: `crowd-${n}`,
    numberIndex: `crowd-${n}`,
    state: n % 2 ? 'open' : 'declined',
    slot: 0,
    circumstances: 'other',
    isKnownBrowser: true,
    failedMethods: [],
    origin: {},
    createdAt: past,
    changedAt: past,
    expiresAt: later,
  }));
  await insert('suspensions', (n) => ({
    accountId: `crowd-${n}`,
    createdAt: past,
    until: later,
    hours: 24,
    otherBrowsers: 'access_code',
    clearedBrowsers: 0,
    accessCodesIssued: 0,
    ...(n % 2 ? { isOpen: true } : {}),
  }));
  await insert('sms_messages', () => ({
    accountId,
    country: 'DE',
    purpose: 'sign_in',
    status: 'sent',
    sentAt: past,
    expiresAt: later,
  }));
  await insert('sms_usage', () => ({ day: '2020-01-01', country: 'DE', sent: 1, expiresAt: later }));
  await insert('sms_former_numbers', (n) => ({ exclusive: `crowd-${n}`, expiresAt: later }));
  await insert('app_challenges', (n) => ({
    accountId,
    cid: `crowd-${n}`,
    status: n % 2 ? 'claimed' : 'cancelled',
    createdAt: past,
    changedAt: past,
    expiresAt: later,
  }));
  await insert('app_requests', () => ({ expiresAt: later }));
  await insert('access_passes', (n) => ({ accountId: `crowd-${n}`, createdAt: past, expiresAt: later }));
  await insert('outbox', (n) =>
    n % 2 === 0
      ? { status: 'due', nextAttemptAt: later }
      : { status: 'sending', nextAttemptAt: later, leaseUntil: later },
  );
}

async function journey(): Promise<void> {
  await textsJourney(app, rp, ben.account);
  await appJourney(app, rp, dora);
  const browser = app.browser();
  const wrong = await typePassword(browser, rp.request().url, 'anna@example.com', 'not the password');
  expect(wrong.status).toBe(422);
  const tokens = await signIn(browser, rp, anna);
  const refreshed = await rp.refresh(tokens.refresh_token ?? '');
  expect(refreshed.status).toBe(200);
  expect((await rp.userinfo(refreshed.access_token)).status).toBe(200);
  await rp.post('/token/introspection', { token: refreshed.access_token });
  expect(await rp.silent(browser)).toBe('code');
  const consent = await browser.open(third.request().url);
  expect(third.answer(await browser.submit(consent, {}, /\/consent\//)).code ?? consent.h1).toBeDefined();
  for (const path of ['/account', '/account/add/totp', '/account/add/recovery_code']) await browser.open(path);
  await browser.open(`/account/factors/${anna.authenticator.factorId}/rename`);
  await browser.open(`/account/factors/${anna.authenticator.factorId}/remove`);
  const other = app.browser();
  await signIn(other, rp, anna);
  const [session] = await app.app.sessions.list(anna.account.id);
  await app.app.sessions.end(anna.account.id, session?._id ?? '', { requestId: 'test' });
  const forgotten = await app.browser().open('/forgot-password');
  await app
    .browser()
    .submit(forgotten, { login: 'anna@example.com' })
    .catch(() => undefined);
  const page = await typePassword(app.browser(), rp.request().url, 'ben@example.com', PASSWORD);
  expect(page.status).toBe(200);
  const half = app.browser();
  await typeRecoveryCode(half, await typePassword(half, rp.request().url, 'ben@example.com'), ben);
  const link = await app.app.links.create('not_me', ben.account.id, 60);
  await half.submit(await half.open(`/not-me/${link}`));
  await app.app.sessions.endAll(anna.account.id, { requestId: 'test' });
  await deskJourney(app, rp, cleo);
  await consoleJourney(app, ben.account);
  await webhookJourney(ben.account.id);
  await app.mails();
  await app.app.outbox.deadLetters();
}

/** Nobody listens at the address: a delivery that fails looks at most. */
async function webhookJourney(accountId: string): Promise<void> {
  const { webhooks, outbox } = app.app;
  const made = await webhooks.create({ url: `${new URL(app.issuer).origin}/none`, events: ['recovery_request.filed'] });
  if (made.status !== 'created') throw new Error(made.problem);
  const { id } = made.webhook;
  const at = new Date().toISOString();
  await outbox.announce({ type: 'recovery_request_filed', accountId, at, facts: { requestId: 'req' } });
  await outbox.kick();
  const [delivery] = (await webhooks.deliveries(id, { limit: 50 })).items;
  expect(delivery).toMatchObject({ attempts: 1 });
  await webhooks.redeliver(id, delivery?.id ?? '');
  await webhooks.findDelivery(id, delivery?.id ?? '');
  await webhooks.list({ limit: 50 });
  await webhooks.update(id, { state: 'disabled' }, 1);
  await webhooks.rotateSecret(id);
  await webhooks.remove(id, 3);
}

/** The broom's index holds everything that is alive: going along it is a scan. */
const isScan = ({ planSummary = '' }: Profiled): boolean =>
  planSummary.includes('COLLSCAN') || planSummary.includes('IXSCAN { expiresAt: 1 }');

const wasteOf = ({ docsExamined = 0, nreturned = 0, nMatched = 0, ndeleted = 0 }: Profiled): number =>
  docsExamined - Math.max(nreturned, nMatched, ndeleted);

test('a whole journey: no scan of a collection, and nothing read in vain', async () => {
  const { db } = app.database.connection;
  if (!db) throw new Error('no database');
  // The server makes it a megabyte, which such a journey fills.
  await db.createCollection('system.profile', { capped: true, size: 64 * 1024 * 1024 });
  await db.command({ profile: 2, sampleRate: 1 });
  await journey();
  await db.command({ profile: 0 });
  const all = await db
    .collection<Profiled>('system.profile')
    .find({ ns: { $not: /system\.|demo_mails/ }, op: { $in: ['query', 'update', 'remove', 'command', 'getmore'] } })
    .toArray();
  const seen = new Set(all.map(({ ns }) => ns.split('.')[1]));
  for (const name of [
    'accounts',
    'factors',
    'challenges',
    'attempts',
    'sessions',
    'audit_events',
    'oidc',
    'outbox',
    'one_time_links',
    'console_sessions',
    'webhooks',
    'webhook_deliveries',
    'recovery_requests',
    'suspensions',
    'access_passes',
    'sms_messages',
    'sms_countries',
    'sms_usage',
    'sms_former_numbers',
    'app_challenges',
    'app_push_keys',
  ])
    expect([name, seen.has(name)]).toEqual([name, true]);

  const bad = all.filter((entry) => isScan(entry) || wasteOf(entry) > FEW);
  expect(
    bad.map(({ ns, op, planSummary, docsExamined, nreturned, command }) => ({
      ns,
      op,
      planSummary,
      docsExamined,
      nreturned,
      command,
    })),
  ).toEqual([]);
}, 120_000);
