/** Every operation of the API's own document against what nobody meant to send. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { snapshot } from '../../security/support.js';
import { ADMIN_APP, type Administrator, type Answer, administrator } from '../../support/administrator.js';
import { ApiContract, type Operation } from '../../support/api-contract.js';
import { RP, startApp, type TestApp } from '../../support/app.js';
import { WITH_SMS } from '../../support/made-up-delivery.js';
import { anyText, aroundSchema, fromSchema } from './from-schema.js';

const SEED = 20_261_124;
const RUNS_PER_OPERATION = 8;

let app: TestApp;
let owner: Administrator;
let contract: ApiContract;
/** Things that are there, by the name of the path's parameter. */
const known: Record<string, string[]> = {};
beforeAll(async () => {
  app = await startApp((issuer) => ({
    clients: [RP, ADMIN_APP(issuer)],
    methods: WITH_SMS,
    api: { requestsPerMinute: 1_000_000 },
  }));
  owner = await administrator(app, 'owner@example.com', ['owner']);
  contract = await ApiContract.of(app.issuer);
  const employee = await administrator(app, 'employee@example.com', []);
  const { id } = employee.account;
  const filed = await app.app.desk.file(employee.account, {
    browserHash: 'b',
    circumstances: 'other',
    isKnownBrowser: false,
    origin: { requestId: 'test' },
  });
  const other = await app.account('other@example.com');
  const suspension = await owner.post(`/accounts/${other.id}/suspensions`, { hours: 24 });
  const pass = await owner.post(`/accounts/${id}/access-passes`, {});
  const webhook = await owner.post('/webhooks', { url: 'https://hook.example/', events: ['account.created'] });
  const client = await owner.post('/clients', {
    client_id: 'known',
    client_name: 'K',
    redirect_uris: ['https://k.example/'],
  });
  Object.assign(known, {
    accountId: [id, other.id],
    requestId: filed.status === 'filed' ? [filed.request.id] : [],
    suspensionId: [suspension.body.id],
    passId: [pass.body.id],
    factorId: [employee.authenticator.factorId],
    sessionId: [(await app.app.sessions.list(id))[0]?._id ?? ''],
    webhookId: [webhook.body.id],
    clientId: [client.body.client_id, 'rp'],
    role: ['auditor', 'owner'],
    country: ['DE', 'AC'],
  });
}, 60_000);
afterAll(() => app.stop());

/** Counts of days that are over are kept when a report is read; refusals are counted and written down. */
const stored = () => snapshot(app, ['attempts', 'audit_events', 'sign_in_days']);

interface Request {
  path: string;
  headers: Record<string, string>;
  body?: string;
}

function requests(operation: Operation): fc.Arbitrary<Request> {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const parameters = fc.record(
    Object.fromEntries(
      names.map((name) => [
        name,
        fc.oneof(
          { weight: 5, arbitrary: fc.constantFrom(...(known[name]?.length ? known[name] : ['none'])) },
          { weight: 1, arbitrary: anyText.filter((text) => !/[\ud800-\udfff]/.test(text) && !/^\.{0,2}$/.test(text)) },
        ),
      ]),
    ),
  );
  const queries = operation.parameters.filter(({ in: place }) => place === 'query');
  const query = fc.record(
    Object.fromEntries(
      queries.map(({ name, schema }) => [
        name,
        fc.oneof({ weight: 8, arbitrary: fromSchema(contract, schema) }, anyText),
      ]),
    ),
    { requiredKeys: [] },
  );
  const surplus = fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, fc.tuple(anyText, anyText));
  const ifMatch = fc.oneof({ weight: 3, arbitrary: fc.constant('*') }, fc.constantFrom('"x"', '', 'W/"x"'));
  const key = fc.oneof(
    { weight: 6, arbitrary: fc.uuid() },
    anyText.filter((text) => /^[\x20-\x7e]*$/.test(text)),
  );
  return fc
    .record({ parameters, query, surplus, ifMatch, key, body: aroundSchema(contract, operation.body) })
    .map(({ parameters: values, query: filters, surplus: more, ...rest }) => {
      const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries(filters)) search.append(name, String(value));
      if (more) search.append(...more);
      return {
        path: `${path}${search.size > 0 ? `?${search}` : ''}`,
        headers: {
          ...(operation.method === 'POST' ? { 'idempotency-key': rest.key } : { 'if-match': rest.ifMatch }),
          ...(operation.body ? { 'content-type': 'application/json' } : {}),
        },
        ...(operation.body ? { body: JSON.stringify(rest.body) ?? '' } : {}),
      };
    });
}

test('no fault, no answer that is not documented, nothing written where it says no', async () => {
  let before = await stored();
  const statuses = new Map<number, number>();
  // What takes away comes last: it leaves nothing for the others.
  const order = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
  const operations = contract.operations.toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  for (const operation of operations) {
    await fc.assert(
      fc.asyncProperty(requests(operation), async ({ path, headers, body }) => {
        // `apiCaller` throws where the document does not know the answer.
        const answer: Answer = await owner.request(operation.method, path, {
          headers,
          ...(body === undefined ? {} : { raw: body }),
        });
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        expect(answer.status).toBeLessThan(500);
        const after = operation.method === 'GET' ? before : await stored();
        if (answer.status >= 400) expect(after).toEqual(before);
        before = after;
      }),
      { seed: SEED, numRuns: RUNS_PER_OPERATION, endOnFailure: true },
    );
  }
  // It got past the door often enough to mean something.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(40);
  expect(statuses.get(401)).toBeUndefined();
}, 240_000);

test('without a token nothing is told, whatever is asked', async () => {
  const before = await stored();
  for (const { method, path } of contract.operations) {
    const url = `${app.issuer}/api/v1${path.replace(/\{(\w+)\}/g, (_, name: string) => known[name]?.[0] ?? 'x')}`;
    const response = await fetch(url, { method, headers: { 'idempotency-key': randomUUID(), 'if-match': '*' } });
    expect([method, path, response.status]).toEqual([method, path, 401]);
  }
  expect(await stored()).toEqual(before);
});
