import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createIdempotency, type Idempotency } from '../../../src/admin/api/idempotency.js';
import type { ApiProblem } from '../../../src/admin/api/problem.js';
import { connectDatabase, type Database } from '../../../src/platform/database.js';
import { ADMIN_APP, type Administrator, administrator } from '../../support/administrator.js';
import { RP, startApp, type TestApp } from '../../support/app.js';
import { FakeClock } from '../../support/clock.js';

let app: TestApp;
let admin: Administrator;
let second: Database;
beforeAll(async () => {
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  admin = await administrator(app, 'admin@example.com', ['admin']);
  second = await connectDatabase(app.database.uri, { name: app.database.name });
});
afterAll(async () => {
  await second.close();
  await app.stop();
});

const someone = () => ({ login: `${randomUUID()}@example.com`, name: 'Somebody' });
const codeOf = (error: unknown): string => (error as ApiProblem).code;

test('a POST without a key, or with one that is none, does nothing', async () => {
  const body = someone();
  for (const key of [undefined, '', 'a b', 'ä', 'x'.repeat(256)]) {
    const answer = await admin
      .request('POST', '/accounts', { body, headers: { 'idempotency-key': key } })
      .catch(() => undefined);
    if (answer) expect([answer.status, answer.body.code]).toEqual([400, 'IDEMPOTENCY_KEY_REQUIRED']);
  }
  expect(await app.app.accounts.findByLogin(body.login)).toBeUndefined();
});

test('the same key and body give the first answer again; another body, and nothing is done', async () => {
  const [body, key] = [someone(), randomUUID()];
  const first = await admin.post('/accounts', body, key);
  const again = await admin.post('/accounts', body, key);
  expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([201, first.body, 'true']);
  const other = await admin.post('/accounts', { ...body, name: 'Other' }, key);
  expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
});

test('a key belongs to its caller and its operation', async () => {
  const [body, key] = [someone(), randomUUID()];
  const { body: made } = await admin.post('/accounts', body, key);
  expect((await admin.post(`/accounts/${made.id}/deactivate`, undefined, key)).status).toBe(200);
  const colleague = await administrator(app, 'colleague@example.com', ['admin']);
  expect((await colleague.post('/accounts', body, key)).body.code).toBe('LOGIN_TAKEN');
});

test('a refusal uses no key up', async () => {
  const [body, key] = [someone(), randomUUID()];
  const taken = await app.account(body.login);
  expect((await admin.post('/accounts', body, key)).status).toBe(409);
  expect((await admin.change('DELETE', `/accounts/${taken.id}`)).status).toBe(204);
  expect((await admin.post('/accounts', body, key)).status).toBe(201);
});

test('of fifty at once on two nodes one does the work; the others hear that it runs, or get its answer', async () => {
  const stores: Idempotency[] = [app.database, second].map((database) =>
    createIdempotency({ database, clock: { now: () => new Date() } }),
  );
  let done = 0;
  const request = { key: randomUUID(), caller: 'a', operation: 'POST /x', input: { n: 1 } };
  const work = async () => {
    done += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { status: 201, body: { n: done } };
  };
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      (stores[n % 2] as Idempotency).once(request, work).then(
        ({ status }) => String(status),
        (error: unknown) => codeOf(error),
      ),
    ),
  );
  expect(done).toBe(1);
  expect(answers.filter((answer) => answer === '201').length).toBeGreaterThan(0);
  expect(new Set(answers).size).toBeLessThanOrEqual(2);
  expect(await stores[1]?.once(request, work)).toMatchObject({ status: 201, body: { n: 1 } });
});

test('a node that died with its request holds the key for a minute; an answer is kept for a day', async () => {
  const clock = new FakeClock();
  const store = createIdempotency({ database: app.database, clock });
  const request = { key: randomUUID(), caller: 'a', operation: 'POST /x', input: null };
  void store.once(request, () => new Promise(() => {}));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const next = () => store.once(request, async () => ({ status: 200, body: {} }));
  await expect(next()).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_RUNNING', retryAfterSeconds: 1 });
  clock.advance(61);
  expect((await next()).headers).toBeUndefined();
  expect((await next()).headers).toEqual({ 'Idempotency-Replayed': 'true' });
  clock.advance(24 * 3_600 + 1);
  expect((await next()).headers).toBeUndefined();
});
