import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { ensureIndexes } from '../../src/app.js';
import { runCli } from '../../src/cli/index.js';
import { startTwilio, type TwilioStandIn } from '../../src/demo/twilio/index.js';
import { checkDatabase, checkIssuer } from '../../src/operations/doctor/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { person } from '../security/support.js';
import { smsOptions } from '../sms/support.js';
import { freePort, startApp, type TestApp, testSecrets } from '../support/app.js';
import { testDatabase } from '../support/database.js';

const [sealing] = testSecrets.sealingKeys;
const random = (): string => randomBytes(32).toString('base64');

let app: TestApp;
let folder: string;
let file: string;
let env: Record<string, string>;
beforeAll(async () => {
  app = await startApp();
  await person(app, 'anna@example.com');
  folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'));
  file = join(folder, 'countersign.yaml');
  env = {
    MONGODB_URI: app.database.uri,
    COUNTERSIGN_SEALING_KEYS: `test:${sealing?.key.toString('base64')}`,
    COUNTERSIGN_COOKIE_KEYS: random(),
    COUNTERSIGN_INDEX_KEY: random(),
  };
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await app.stop();
});

async function doctor(
  settings: Record<string, unknown> = {},
  otherEnv: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  writeFileSync(file, stringify({ issuer: app.issuer, database: { name: app.database.name }, ...settings }));
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const code = await runCli(['doctor', '--config', file], { env: { ...env, ...otherEnv }, out: note, err: note });
  return { code, text: lines.join('\n') };
}

test('each thing is looked at, and what is right is said to be', async () => {
  const before = await app.database.collection('audit_events').countDocuments();
  const { text } = await doctor();
  for (const line of [
    /^ok +configuration: complete and valid$/m,
    /^ok +database: MongoDB \d/m,
    /^warning +database: replica set \S+ with 1 member\(s\)/m,
    /^ok +database: a majority write takes \d+ ms$/m,
    /^ok +clock: -?\d+ ms off the database's$/m,
    /^ok +sealed values: [1-9]\d* looked at, all open with these keys$/m,
    /^ok +indexes: [4-9]\d, all as they should be$/m,
    /^ok +methods: their options are complete and valid$/m,
    /^ok +issuer: reached as http:\/\/localhost/m,
    /^ok +mail: kept in the outbox/m,
  ])
    expect(text).toMatch(line);
  expect(await app.database.collection('audit_events').countDocuments()).toBe(before);
});

test('everything that is wrong comes at once, exit code 1, and no secret with it', async () => {
  const port = await freePort();
  const { code, text } = await doctor(
    {
      issuer: `http://localhost:${port}`,
      clients: [
        { client_id: 'a', client_name: 'A', client_secret_env: 'NOT_SET', redirect_uris: ['https://a.example/'] },
      ],
      mail: { transport: 'smtp', smtp: { host: '127.0.0.1', port } },
    },
    { COUNTERSIGN_SEALING_KEYS: `other:${env.COUNTERSIGN_INDEX_KEY}` },
  );
  expect(code).toBe(1);
  for (const line of [
    /^error +configuration: clients\[0\]\.client_secret_env .*NOT_SET/m,
    /^error +index key is the same as sealing key other/m,
    /^error +sealed values: .*factors\.\S+.* do not open/m,
    /^error +issuer: .*cannot be reached from here \(ECONNREFUSED\)/m,
    /^error +mail: not to be had \(ESOCKET|ECONNECTION|ECONNREFUSED\)/m,
    /^ok +database: MongoDB/m,
    /^countersign: \d+ of \d+ checks found an error$/m,
  ])
    expect(text).toMatch(line);
  for (const secret of Object.values(env)) expect(text).not.toContain(secret.replace(/^test:/, ''));
});

test('a public issuer whose mails are kept: what to set, and the rest is looked at all the same', async () => {
  const wrong = { issuer: 'https://login.invalid', methods: [{ id: 'app', numberDigits: 9 }] };
  const { code, text } = await doctor(wrong);
  expect(code).toBe(1);
  for (const line of [
    /^error +configuration: mail\.transport must be smtp/m,
    /^warning +mail: kept in the outbox, sent nowhere: set mail\.transport to smtp, and mail\.smtp$/m,
    /^error +methods: methods\[0\]\.numberDigits must be at most 6$/m,
    /^ok +database: MongoDB \d/m,
  ])
    expect(text).toMatch(line);
  const withoutDatabase = await doctor(wrong, { MONGODB_URI: '' });
  expect(withoutDatabase.text).toMatch(/^error +configuration: database\.allowEmbedded set MONGODB_URI/m);
  expect(withoutDatabase.text).not.toMatch(/MongoDB \d|sealed values/);
});

test('a key that somebody could guess, and a database that does not answer', async () => {
  const weak = Buffer.alloc(32, 'a').toString('base64');
  const { code, text } = await doctor(
    {},
    { COUNTERSIGN_INDEX_KEY: weak, MONGODB_URI: 'mongodb://who:canary@127.0.0.1:9/' },
  );
  expect(code).toBe(1);
  expect(text).toMatch(/^error +index key is guessable/m);
  expect(text).toMatch(/^error +database: not to be had \(DATABASE_UNAVAILABLE\)$/m);
  expect(text).not.toMatch(/canary/);
}, 30_000);

test('a clock that is off is an error', async () => {
  const fast = { now: () => new Date(systemClock.now().getTime() + 2_500) };
  const found = await checkDatabase(app.database, fast);
  expect(found.filter(({ level }) => level === 'error').map(({ what }) => what)).toEqual([
    expect.stringMatching(/^clock: 2\d\d\d ms off .*NTP/),
  ]);
});

test('a proxy that changes the host, and one that leads elsewhere', async () => {
  let answer = '';
  const proxy = createServer((incoming, outgoing) => {
    if (answer) return void outgoing.end(answer);
    const { url: path, method, headers } = incoming;
    const inner = { ...headers, host: 'inner.example' };
    request({ host: '127.0.0.1', port: app.port, path, method, headers: inner }, (got) => {
      outgoing.writeHead(got.statusCode ?? 500);
      got.pipe(outgoing);
    }).end();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const issuer = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  expect((await checkIssuer(issuer)).what).toContain('must pass Host on and set X-Forwarded-Proto');
  answer = JSON.stringify({ issuer: 'https://elsewhere.example', token_endpoint: 'https://elsewhere.example/token' });
  expect((await checkIssuer(issuer)).what).toContain('belongs to another server');
  answer = JSON.stringify({ issuer, token_endpoint: 'http://inner.example/token' });
  expect((await checkIssuer(issuer)).what).toContain('endpoints are told as http://inner.example');
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

test('indexes that are missing, different, hidden, called otherwise, or of nobody: each with what to do, which helps', async () => {
  const factors = app.database.collection('factors');
  const sessions = app.database.collection('sessions');
  await factors.dropIndex('one_pending');
  await factors.dropIndex('held_by_one');
  await factors.createIndex({ method: 1, exclusive: 1 }, { name: 'held_by_one' });
  await sessions.dropIndex('by_account');
  await sessions.createIndex({ accountId: 1, lastSignInAt: -1 }, { name: 'by_hand' });
  await app.database.collection('challenges').dropIndex('sweep');
  await app.database.collection('challenges').createIndex({ expiresAt: 1 }, { name: 'sweep', expireAfterSeconds: 9 });
  await app.database.connection.db?.command({ collMod: 'accounts', index: { name: 'login_1', hidden: true } });
  await app.database.collection('outbox').createIndex({ nobody: 1 });
  const { code, text } = await doctor();
  expect(code).toBe(1);
  const complaints = text.split('\n').filter((line) => line.includes('indexes: '));
  expect(complaints).toEqual([
    expect.stringMatching(/^error +indexes: accounts\.login_1 is not as it should be: .*dropIndex\('login_1'\)/),
    expect.stringMatching(
      /^error +indexes: challenges\.sweep is not as it should be: .*'challenges'.*dropIndex\('sweep'\)/,
    ),
    expect.stringMatching(/^error +indexes: factors\.one_pending is missing: start a node/),
    expect.stringMatching(/^error +indexes: factors\.held_by_one is not as it should be: /),
    expect.stringMatching(/^warning +indexes: outbox\.nobody_1 is none of ours/),
    expect.stringMatching(/^error +indexes: sessions\.by_account is there as by_hand: .*dropIndex\('by_hand'\)/),
  ]);
  for (const line of complaints) {
    const [, collection = '', index = ''] = /getCollection\('(.*)'\)\.dropIndex\('(.*)'\)/.exec(line) ?? [];
    if (collection) await app.database.collection(collection).dropIndex(index);
  }
  await ensureIndexes(app.database);
  expect((await doctor()).text).toMatch(/^ok +indexes: /m);
});

test('before the first start there are no indexes, and that is no error', async () => {
  const empty = await testDatabase();
  const { text } = await doctor({ database: { name: empty.name } });
  expect(text).toMatch(/^warning +indexes: none yet: the first node that starts makes them$/m);
  await empty.drop();
});

const AUTH_TOKEN = 'canary-auth-token';
const KEY = { sid: `SK${'1b'.repeat(16)}`, secret: 'canary-key-secret' };

describe('who carries text messages', () => {
  let twilio: TwilioStandIn;
  beforeAll(async () => {
    const [{ accountSid } = { accountSid: '' }] = smsOptions({ url: '' }).providers;
    twilio = await startTwilio({ accountSid, authToken: AUTH_TOKEN, apiKey: KEY });
  });
  afterEach(() => twilio.reset());
  afterAll(() => twilio.stop());

  /** The lines about it, with what Twilio is given. */
  async function asked(
    settings: Record<string, unknown> = {},
    variables: Record<string, string> = {},
    others: object[] = [],
  ) {
    const sms = smsOptions(twilio);
    const providers = [...sms.providers.map((one) => ({ ...one, ...settings })), ...others];
    const { text } = await doctor(
      { methods: [{ id: 'totp' }, { ...sms, providers }] },
      { TWILIO_AUTH_TOKEN: AUTH_TOKEN, KEY_SECRET: KEY.secret, ...variables },
    );
    expect(text).not.toMatch(/canary/);
    return text
      .split('\n')
      .filter((line) => /methods|sms: /.test(line))
      .join('\n');
  }
  const key = { apiKeySid: KEY.sid, api_key_secret_env: 'KEY_SECRET' };

  test('an account and an API key that are right', async () => {
    expect(await asked(key)).toBe(
      [
        'ok       methods: their options are complete and valid',
        'ok       sms: twilio: the account is active, and the auth token right',
        'ok       sms: twilio: the API key is right',
      ].join('\n'),
    );
    expect(twilio.messages).toEqual([]);
  });

  test.each([
    [
      'a wrong auth token',
      {},
      { TWILIO_AUTH_TOKEN: 'canary-other' },
      /error .*auth token in TWILIO_AUTH_TOKEN do not belong together/,
    ],
    [
      'a wrong API key',
      key,
      { KEY_SECRET: 'canary-other' },
      /ok .*account is active[\s\S]*error .*secret in KEY_SECRET do not belong together/,
    ],
    [
      'no variable',
      {},
      { TWILIO_AUTH_TOKEN: '' },
      /error +methods: methods\[1\]\.providers\[0\]\.auth_token_env .*TWILIO_AUTH_TOKEN is not set/,
    ],
    ['nobody there', { apiBase: 'http://127.0.0.1:9' }, {}, /error .*cannot be reached from here \(ECONNREFUSED\)/],
    [
      'a wrong option',
      { statusCallbacks: 'yes' },
      {},
      /error +methods: methods\[1\]\.providers\[0\]\.statusCallbacks must be true or false/,
    ],
  ])('%s', async (_what, settings, variables, line) => {
    expect(await asked(settings, variables)).toMatch(line);
  });

  test.each([
    [{ status: 'suspended', type: 'Full' }, /^error .*the account is suspended/m],
    [{ status: 'closed', type: 'Full' }, /^error .*the account is closed/m],
    [{ status: 'active', type: 'Trial' }, /^warning .*a trial account/m],
  ] as const)('an account that is %j', async (account, line) => {
    twilio.account = account;
    expect(await asked()).toMatch(line);
  });

  test('a Twilio that never answers is not waited for longer than five seconds', async () => {
    twilio.plan({ hangs: true });
    const began = performance.now();
    expect(await asked({ timeoutMs: 15_000 })).toMatch(/^error .*cannot be reached from here \(TIMEOUT\)/m);
    expect(performance.now() - began).toBeLessThan(7_000);
  }, 15_000);

  test('a second provider: asked without number and secret; it is there, or it is not', async () => {
    const heard: string[] = [];
    const server = createServer(({ method, headers }, answer) => {
      heard.push(`${method} ${JSON.stringify(headers)}`);
      answer.writeHead(405).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/messages`;
    const second = {
      name: 'second',
      type: 'http',
      url,
      headers: { authorization: { secret_env: 'KEY_SECRET', prefix: 'Bearer ' } },
      body: { json: { to: '{to}', text: '{text}' } },
    };
    expect(await asked({}, {}, [second])).toMatch(/^ok +sms: second: it answers/m);
    expect(heard).toEqual([expect.stringMatching(/^OPTIONS (?!.*(?:canary|authorization))/)]);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await asked({}, {}, [second])).toMatch(/^error +sms: second: cannot be reached from here \(ECONNREFUSED\)/m);
  });
});
