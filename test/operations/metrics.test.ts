import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createMetrics,
  createReadings,
  type Metrics,
  openMetricsListener,
} from '../../src/operations/metrics/index.js';
import { systemClock } from '../../src/platform/clock.js';
import type { Listener } from '../../src/platform/listener.js';
import { createLogger } from '../../src/platform/logger.js';
import { projectRoot } from '../../src/platform/paths.js';
import { SMS, textsJourney } from '../architecture/texts-journey.js';
import { fileRequest, recoveryBrowser } from '../recovery-desk/support.js';
import { rawRequest } from '../security/raw.js';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from '../security/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

const LOGIN = 'canary.login@example.com';
/** What must be in no label: who, from where, with what. */
const CANARIES = [/canary/i, /example\.com/, /\+?12125550\d/, /127\.0\.0\.1|192\.0\.2/, /[0-9a-f]{24}/, /[\w-]{40}/];

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let metrics: Metrics;
let listener: Listener;
let isAway = false;
beforeAll(async () => {
  const logger = createLogger('silent');
  metrics = createMetrics(async () => (isAway ? undefined : read()));
  app = await startApp({ methods: [{ id: 'totp' }, SMS, { id: 'recovery_code' }] }, { observer: metrics });
  const read = createReadings({ ...app.app, streams: app.app.web.streams, clock: systemClock, logger });
  listener = await openMetricsListener(metrics, { host: '127.0.0.1', port: 0 }, logger);
  rp = new RelyingParty(app.issuer);
  anna = await person(app, LOGIN);
});
afterAll(async () => {
  await listener.close(0);
  await app.stop();
});

const scrape = async (): Promise<string> => (await rawRequest(listener.port, '/metrics')).body;
/** Value of a series; 0 when there is none. */
const seriesValue = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1] ?? 0,
  );

test('what happened is counted by names of ours, and says nothing of anybody', async () => {
  await textsJourney(app, rp, anna.account);
  const browser = app.browser();
  await signIn(browser, rp, anna);
  await typePassword(app.browser(), rp.request().url, LOGIN, 'canary: not the password');
  for (let n = 0; n < 8; n += 1) await typePassword(app.browser(), rp.request().url, 'canary-nobody', 'x');
  const wrong = app.browser();
  const page = await typePassword(wrong, rp.request().url, LOGIN);
  await typeRecoveryCode(wrong, page, { ...anna, recoveryCodes: ['AAAA-AAAA-AAAA-AAAA'] });
  await app.browser().open('/canary/of/an/unknown/path');
  await rawRequest(app.port, '/api/v1/accounts/canary', { method: 'CANARY', headers: { host: 'canary.example' } });
  await rawRequest(app.port, '/api/v1/accounts/canary', { headers: { host: new URL(app.issuer).host } });
  const { hash } = recoveryBrowser(app);
  await fileRequest(app, anna.account, hash);

  const text = await scrape();
  for (const [series, atLeast] of [
    ['countersign_http_requests_total{route="authorization",method="GET",status="303"}', 3],
    ['countersign_http_requests_total{route="token",method="POST",status="200"}', 1],
    ['countersign_http_requests_total{route="/sign-in/:uid",method="POST",status="422"}', 1],
    ['countersign_http_requests_total{route="api:getAccount",method="GET",status="401"}', 1],
    ['countersign_http_requests_total{route="none",method="GET",status="404"}', 1],
    ['countersign_http_request_duration_seconds_count{route="token"}', 1],
    ['countersign_sign_ins_total{method="recovery_code",outcome="success"}', 1],
    ['countersign_sign_ins_total{method="password",outcome="wrong_password"}', 1],
    ['countersign_sign_ins_total{method="password",outcome="unknown_login"}', 5],
    ['countersign_second_factor_attempts_total{method="recovery_code",outcome="rejected"}', 1],
    ['countersign_second_factor_attempts_total{method="recovery_code",outcome="verified"}', 1],
    ['countersign_second_factor_attempts_total{method="sms",outcome="sent"}', 1],
    ['countersign_throttled_total{counter="password"}', 1],
    ['countersign_sms_messages_today', 2],
    ['countersign_sms_messages_limit', 500],
    ['countersign_recovery_requests_open', 1],
    ['countersign_database_readings_up', 1],
  ] as const)
    expect([series, seriesValue(text, series) >= atLeast]).toEqual([series, true]);
  const dueMails = await app.database.collection('outbox').countDocuments({ status: 'due', lane: { $exists: false } });
  expect(seriesValue(text, 'countersign_outbox_due{lane="mails"}')).toBe(dueMails);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds [\d.e-]+$/m);
  expect(text).toMatch(/^nodejs_heap_size_used_bytes \d+$/m);
  const labels = [...text.matchAll(/="([^"]*)"/g)].map(([, value = '']) => value);
  expect(labels.length).toBeGreaterThan(100);
  for (const canary of CANARIES) expect([canary, labels.filter((value) => canary.test(value))]).toEqual([canary, []]);
}, 90_000);

test('however many paths somebody makes up, there are no more series than before', async () => {
  const series = async (): Promise<number> => (await scrape()).split('\n').length;
  await app.browser().open('/nothing/0');
  const before = await series();
  for (let n = 1; n <= 40; n += 1) {
    await rawRequest(app.port, `/nothing/${n}?q=${n}`, {
      method: n % 2 ? 'GET' : 'PURGE',
      headers: { host: new URL(app.issuer).host },
    });
  }
  metrics.throttled('country:DE');
  metrics.throttled('country:FR');
  metrics.throttled('Canary 1');
  // A further method and status, and two counters.
  expect((await series()) - before).toBeLessThanOrEqual(4);
  expect(await scrape()).not.toMatch(/canary 1/i);
});

test('without the database the numbers of the process are told all the same, and that the others are missing', async () => {
  isAway = true;
  const text = await scrape();
  isAway = false;
  expect(seriesValue(text, 'countersign_database_readings_up')).toBe(0);
  expect(text).toContain('countersign_http_requests_total{');
  expect(text).not.toMatch(/^countersign_outbox_due\{/m);
});

test('the listener tells metrics and nothing else', async () => {
  expect((await rawRequest(listener.port, '/metrics', { method: 'POST' })).status).toBe(405);
  expect((await rawRequest(listener.port, '/account')).status).toBe(404);
  expect((await rawRequest(app.port, '/metrics', { headers: { host: new URL(app.issuer).host } })).status).toBe(404);
});

test('every metric of ours is in the document, and the document names no other', async () => {
  const document = readFileSync(join(projectRoot, 'docs/operating.md'), 'utf8');
  const told = [...(await scrape()).matchAll(/^# TYPE (countersign_\w+)/gm)].map(([, name]) => name);
  const named = [...document.matchAll(/`(countersign_\w+)/g)].map(([, name]) =>
    name?.replace(/_(?:count|sum|bucket)$/, ''),
  );
  expect(new Set(named)).toEqual(new Set(told));
  expect(told.length).toBeGreaterThan(20);
});
