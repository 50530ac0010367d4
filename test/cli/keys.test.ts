/** `countersign keys`: what is listed, the rotation by hand, and sealing everything anew. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DeviceClient } from '../../examples/device-cli/client.js';
import { createWebSessions } from '../../src/admin/console/web-sessions.js';
import { SEALED } from '../../src/app.js';
import { runCli } from '../../src/cli/index.js';
import { createKeyRotation, loadSigningKeys } from '../../src/oidc/index.js';
import { systemClock } from '../../src/platform/clock.js';
import { systemRandom } from '../../src/platform/random.js';
import { reseal } from '../../src/platform/reseal.js';
import { createSecretBox, type SealingKey } from '../../src/platform/secret-box.js';
import { administrator } from '../admin/console/support.js';
import { pairPhone, requestsOf } from '../app/trusted-phone.js';
import { SMS, textsJourney } from '../architecture/texts-journey.js';
import { PushService, Subscriber } from '../plugins/app/push-service.js';
import { newRequest, recoveryBrowser } from '../recovery-desk/support.js';
import { type Person, person, typePassword } from '../security/support.js';
import { startApp, type TestApp, testSecrets } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

const DAY_MS = 86_400_000;
const ORIGIN = { requestId: 'keys', browser: 'browser-of-the-test' };
const [OLD = { id: '', key: Buffer.alloc(0) }] = testSecrets.sealingKeys;
const NEW: SealingKey = { id: '2026-12', key: Buffer.alloc(32, 8) };
const written = ({ id, key }: SealingKey): string => `${id}:${key.toString('base64')}`;

let app: TestApp;
let rp: RelyingParty;
let service: PushService;
let folder: string;
let anna: Person;
let out: string[];
let err: string[];
beforeAll(async () => {
  service = await PushService.start();
  app = await startApp({
    methods: [{ id: 'app', push: { privateOrigins: [service.origin] } }, { id: 'totp' }, SMS, { id: 'recovery_code' }],
  });
  rp = new RelyingParty(app.issuer);
  folder = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
  writeFileSync(
    join(folder, 'config.yaml'),
    `issuer: ${app.issuer}\ndatabase: { name: ${app.database.name} }\nmethods: [{ id: app }, { id: totp }]\n`,
  );
  anna = await person(app, 'anna@example.com');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await app.stop();
  await service.stop();
});
beforeEach(() => {
  out = [];
  err = [];
});

const cli = (argv: string[], sealingKeys = [OLD]) =>
  runCli([...argv, '--config', join(folder, 'config.yaml')], {
    env: {
      MONGODB_URI: app.database.uri,
      COUNTERSIGN_SEALING_KEYS: sealingKeys.map(written).join(),
      COUNTERSIGN_COOKIE_KEYS: 'the-first-cookie-key-of-this-test-01,the-second-cookie-key-of-this-test-2',
      COUNTERSIGN_INDEX_KEY: testSecrets.indexKey.toString('base64'),
    },
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  });
const rotation = () =>
  createKeyRotation({
    database: app.database,
    secretBox: app.app.secretBox,
    clock: systemClock,
    audit: app.app.audit,
    announcer: app.app.outbox,
    config: app.config,
  });
/** As if it had been published for so long. */
const publishedFor = async (milliseconds: number) => {
  await app.database
    .collection('signing_keys')
    .updateMany({}, { $set: { 'next.createdAt': new Date(Date.now() - milliseconds) } });
};

describe('signing keys', () => {
  test('are refused before a day, with the time that is left; then they rotate, and the list says so', async () => {
    expect(await cli(['keys', 'rotate'])).toBe(1);
    await rotation().keep();
    await publishedFor(DAY_MS - 5 * 3_600_000);
    err = [];
    expect(await cli(['keys', 'rotate'])).toBe(1);
    expect(err[0]).toMatch(/not published for a day yet: possible in (5 h 0 min|4 h 59 min), at \d{4}-/);
    await publishedFor(DAY_MS);
    await cli(['keys', 'list']);
    const next = out.filter((line) => line.includes('\tnext\t')).map((line) => line.split('\t')[1]);
    out = [];
    expect(await cli(['keys', 'rotate'])).toBe(0);
    expect(out.slice(0, 2).map((line) => line.split(/ +/)[1])).toEqual(next);
    out = [];
    expect(await cli(['keys', 'list'])).toBe(0);
    const states = out.map((line) => line.split('\t')).map(([kind, , algorithm, state]) => [kind, algorithm, state]);
    expect(states.slice(0, 6)).toEqual(
      ['RS256', 'ES256'].flatMap((alg) => ['current', 'next', 'previous'].map((state) => ['signing', alg, state])),
    );
    expect(states.slice(6)).toEqual([
      ['sealing', 'A256GCM', 'current'],
      ['cookie', 'HS256', 'current'],
      ['cookie', 'HS256', 'previous'],
      ['index', 'HS256', 'current'],
    ]);
    expect(out.find((line) => line.startsWith('sealing'))).toMatch(/^sealing\ttest\tA256GCM\tcurrent\t[1-9]\d* values/);
  });

  test('in an emergency at once, told to the owners, and the operator hears what follows', async () => {
    const before = await rotation().list();
    expect(await cli(['keys', 'rotate', '--emergency'])).toBe(0);
    expect(out.join('\n')).toMatch(/which is void[\s\S]*ID tokens, JWT access tokens[\s\S]*fetch \/jwks again/);
    const after = await rotation().list();
    expect(after.filter(({ kid }) => before.some((one) => one.kid === kid))).toEqual([]);
    expect(await app.database.collection('outbox').countDocuments({ kind: 'announcement' })).toBeGreaterThan(0);
    const told = await app.database.collection('audit_events').find({ type: 'signing_keys_replaced' }).toArray();
    expect(told.map(({ actor }) => actor)).toEqual([{ type: 'operator' }]);
  });

  test('no line of any command holds a key', async () => {
    await cli(['keys', 'list']);
    const text = [...out, ...err].join('\n');
    for (const secret of [
      OLD.key.toString('base64'),
      testSecrets.indexKey.toString('base64'),
      'cookie-key-of-this-test',
    ])
      expect(text).not.toContain(secret);
    const keys = (await loadSigningKeys({ ...app.app, database: app.database, clock: systemClock })).all();
    for (const { d = '' } of keys) expect(text).not.toContain(d.slice(0, 20));
  });
});

/** Something sealed at each place there is, as it comes about in use. */
async function everythingSealed(): Promise<void> {
  const { engine, oidc, outbox, webhooks, desk } = app.app;
  await loadSigningKeys({ database: app.database, secretBox: app.app.secretBox, clock: systemClock });
  await rotation().keep();
  await publishedFor(DAY_MS);
  await rotation().rotate({ type: 'system' });

  await oidc.clients.insert({ client_id: 'wiki', client_secret: 'a-secret-of-this-application', redirect_uris: [] });
  const until = new Date(Date.now() + DAY_MS);
  await app.database.transaction((unit) => oidc.clients.rotate('wiki', 1, 'its-next-secret-of-this-kind', until, unit));

  const olga = await administrator(app, 'olga@example.com', ['owner']);
  const consoleSessions = createWebSessions({
    ...app.app,
    database: app.database,
    clock: systemClock,
    random: systemRandom,
    cookies: app.app.web.cookies,
  });
  const held = await app.database
    .collection<{ _id: string }>('console_sessions')
    .findOne({ accountId: olga.account.id });
  const session = { id: held?._id ?? '', accountId: olga.account.id, tokens: {} as never };
  await consoleSessions.hold(session, { path: '/console', values: { reason: 'private' } });

  const { hash } = recoveryBrowser(app);
  await desk.file(anna.account, newRequest(hash, { contact: '+1 212 555 0100', note: 'in the lobby' }));
  const made = await webhooks.create({ url: `${new URL(app.issuer).origin}/none`, events: ['role.granted'] });
  if (made.status === 'created') await webhooks.rotateSecret(made.webhook.id);

  const { account: ben } = await person(app, 'ben@example.com');
  await textsJourney(app, rp, ben);
  await engine.beginEnrolment(ben, 'sms', ORIGIN);
  await engine.confirmEnrolment(ben, 'sms', { country: 'US', number: '+12125550183' }, ORIGIN);

  const phone = await pairPhone(app, anna.account);
  await phone.status();
  const post = await requestsOf(phone);
  await post('/push', { subscription: new Subscriber(`${service.origin}/anna`).subscription });
  await cli(['keys', 'rotate', '--push']);
  await typePassword(app.browser(), rp.request().url, anna.account.login);
  const cleo = await person(app, 'cleo@example.com');
  await engine.beginEnrolment(cleo.account, 'recovery_code', ORIGIN);
  const step = await engine.beginEnrolment(cleo.account, 'app', ORIGIN);
  const claiming = await DeviceClient.create(app.issuer, { now: Date.now });
  await claiming.pair({ code: String(step?.locals.pairHref).split('#')[1] ?? '' }, { model: 'Pixel' });
  await engine.beginEnrolment(await app.account('dora@example.com'), 'app', ORIGIN);
  await outbox.enqueue('announcement', '', { type: 'role_granted', at: new Date().toISOString(), facts: {} });
}

/** Every text in a document that was sealed with this key. */
function sealedWith(keyId: string, value: unknown, path = ''): string[] {
  if (typeof value === 'string')
    return new RegExp(`(^|[^\\w-])${keyId}\\.[\\w-]{16}\\.[\\w-]{20,}`).test(value) ? [path] : [];
  if (typeof value !== 'object' || value === null || value instanceof Date) return [];
  return Object.entries(value).flatMap(([name, inner]) => sealedWith(keyId, inner, `${path}.${name}`));
}

/** Where values of a key are, whoever keeps them: the whole database is read. */
async function placesOf(keyId: string): Promise<Map<string, number>> {
  const places = new Map<string, number>();
  for (const { name } of (await app.database.connection.db?.listCollections().toArray()) ?? [])
    for (const document of await app.database.collection(name).find({}).toArray())
      for (const path of sealedWith(keyId, document)) {
        const method = name === 'factors' ? document.method : '';
        const shape = path.replace(/\.\d+\./g, '.*.').replace(/\.forms\.[^.]+/, '.forms.*');
        const place = `${name}${method ? `/${method}` : ''}${shape}`;
        places.set(place, (places.get(place) ?? 0) + 1);
      }
  return places;
}

describe('sealing anew', () => {
  const EVERYWHERE = [
    'app_challenges.number',
    'app_push_keys.previous.*.privateKey',
    'app_push_keys.privateKey',
    'clients.previous.sealedSecret',
    'clients.sealedSecret',
    'console_sessions.forms.*.sealed',
    'console_sessions.tokens',
    'factors/app.data.offlineSecret',
    'factors/app.data.pairing.shown',
    'factors/app.data.push.subscription',
    'factors/recovery_code.data.plain',
    'factors/sms.data.number',
    'factors/totp.data.secret',
    'outbox.sealed',
    'recovery_requests.sealedContact',
    'recovery_requests.sealedNote',
    'recovery_requests.sealedNumber',
    'signing_keys.next.sealed',
    'signing_keys.previous.*.sealed',
    'signing_keys.sealed',
    'webhooks.previousSecret.sealed',
    'webhooks.secret',
  ];

  test('after a whole journey nothing in the database is sealed with the former key, and all of it opens', async () => {
    await everythingSealed();
    const before = await placesOf(OLD.id);
    expect([...before.keys()].sort()).toEqual(EVERYWHERE);
    const values = [...before.values()].reduce((sum, count) => sum + count, 0);

    out = [];
    expect(await cli(['keys', 'reseal'], [NEW, OLD])).toBe(0);
    expect(out[0]).toBe(`${values} values are sealed with 2026-12 now.`);
    expect(out.at(-1)).toContain('test seals nothing any more: it can be taken out');
    expect(err.filter((line) => /^factors: \d+ so far$/.test(line))).not.toEqual([]);
    expect(await placesOf(OLD.id)).toEqual(new Map());
    expect(await placesOf(NEW.id)).toEqual(before);

    const alone = createSecretBox([NEW], testSecrets.indexKey);
    for (const place of SEALED)
      for (const document of await app.database
        .collection(place.collection)
        .find(place.where ?? {})
        .toArray())
        for (const { sealed, context } of place.valuesIn(document as never))
          if (sealed) expect(alone.open(sealed, context).length).toBeGreaterThan(0);

    out = [];
    expect(await cli(['keys', 'reseal'], [NEW])).toBe(0);
    expect(out[0]).toBe('0 values are sealed with 2026-12 now.');
    const told = await app.database.collection('audit_events').find({ type: 'secrets_resealed' }).toArray();
    expect(told.map(({ details }) => details)).toEqual([{ keyId: '2026-12', values }]);
  }, 60_000);

  test('a server with the new key alone goes on where the former was', async () => {
    expect(await cli(['keys', 'list'], [NEW])).toBe(0);
    expect(out.find((line) => line.startsWith('sealing'))).toMatch(/^sealing\t2026-12\tA256GCM\tcurrent\t[1-9]/);
  });
});

describe('beside others', () => {
  const box = createSecretBox([NEW, OLD], testSecrets.indexKey);
  const old = createSecretBox([OLD], testSecrets.indexKey);
  const things = () => app.database.collection<{ _id: string; sealed: string }>('things');
  const place = {
    collection: 'things',
    fields: ['sealed'],
    valuesIn: ({ _id, sealed }: { _id: string; sealed: string }) => [{ path: 'sealed', sealed, context: _id }],
  };
  const run = () => reseal({ database: app.database, secretBox: box, places: [place as never] });
  beforeEach(async () => {
    await things().deleteMany({});
  });

  test('a change between reading and writing stays, and what it brought is sealed anew too', async () => {
    await things().insertMany(['a', 'b'].map((_id) => ({ _id, sealed: old.seal('first', _id) })));
    let isChanged = false;
    const collection = {
      find: (...query: Parameters<ReturnType<typeof things>['find']>) => things().find(...query),
      async bulkWrite(...updates: Parameters<ReturnType<typeof things>['bulkWrite']>) {
        // A server that still has the former key in front.
        if (!isChanged) await things().updateOne({ _id: 'a' }, { $set: { sealed: old.seal('second', 'a') } });
        isChanged = true;
        return things().bulkWrite(...updates);
      },
    };
    const database = { ...app.database, collection: () => collection } as unknown as typeof app.database;
    const done = await reseal({ database, secretBox: box, places: [place as never] });
    expect(done).toMatchObject({ resealed: 2, changedMeanwhile: 1, unopened: 0 });
    expect(done.left.size).toBe(0);
    const [a, b] = await things().find({}).sort({ _id: 1 }).toArray();
    expect([a, b].map((one) => box.open(one?.sealed ?? '', one?._id ?? '').toString())).toEqual(['second', 'first']);
    expect([a, b].map((one) => box.isStale(one?.sealed ?? ''))).toEqual([false, false]);
  });

  test('broken off after a batch, it goes on with what is left', async () => {
    const ids = Array.from({ length: 450 }, (_, n) => `t${String(n).padStart(4, '0')}`);
    await things().insertMany(ids.map((_id) => ({ _id, sealed: old.seal(_id, _id) })));
    const brokenOff = reseal({
      database: app.database,
      secretBox: box,
      places: [place as never],
      onProgress: () => {
        throw new Error('killed');
      },
    });
    await expect(brokenOff).rejects.toThrow('killed');
    expect(await things().countDocuments({ sealed: /^test\./ })).toBe(250);
    expect(await run()).toMatchObject({ resealed: 250, changedMeanwhile: 0 });
    expect(await things().countDocuments({ sealed: /^2026-12\./ })).toBe(450);
  });

  test('what does not open stays as it is, and is counted', async () => {
    const sealed = createSecretBox([{ id: 'lost', key: Buffer.alloc(32, 5) }], testSecrets.indexKey).seal('x', 'a');
    await things().insertMany([
      { _id: 'a', sealed },
      { _id: 'b', sealed: old.seal('x', 'another place') },
    ]);
    const done = await run();
    expect(done).toMatchObject({ resealed: 0, unopened: 2 });
    expect([...done.left]).toEqual([
      ['lost', 1],
      ['test', 1],
    ]);
    expect((await things().findOne({ _id: 'a' }))?.sealed).toBe(sealed);
  });
});
