import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import type { JWK } from 'oidc-provider';
import type { AuditEvent } from '../../src/audit/contract.js';
import type { Announcement } from '../../src/notifications/announcements.js';
import { type KeysDocument, keysCollection, type SealedKey } from '../../src/oidc/keys/documents.js';
import { createKeyRotation, loadSigningKeys, type SigningKeys } from '../../src/oidc/keys/index.js';
import { connectDatabase, type Database } from '../../src/platform/database.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const DAY_SECONDS = 86_400;
const PREVIOUS_SECONDS = 3_600;
const secretBox = createSecretBox([{ id: 'one', key: Buffer.alloc(32, 1) }], Buffer.alloc(32, 2));
let clock: FakeClock;
let database: Awaited<ReturnType<typeof testDatabase>>;
let otherNode: Database;
let events: AuditEvent[];
let announced: Announcement[];
const audit = { record: async (event: AuditEvent) => void events.push(event) };
beforeAll(async () => {
  database = await testDatabase();
  otherNode = await connectDatabase(database.uri, { name: database.name });
});
afterAll(async () => {
  await otherNode.close();
  await database.drop();
});
beforeEach(async () => {
  clock = new FakeClock();
  events = [];
  announced = [];
  await database.collection('signing_keys').deleteMany({});
});

/** Making an RSA key takes its time: those of the first call come back as if they were made now, each with its next one. */
let made: KeysDocument[] | undefined;
async function seeded(db: Database = database): Promise<SigningKeys> {
  if (!made) {
    await load();
    await rotationOf().keep();
    made = await keysCollection(database).find().toArray();
  }
  const now = clock.now();
  await keysCollection(database).deleteMany({});
  await keysCollection(database).insertMany(
    made.map((one) => ({ ...one, createdAt: now, since: now, next: { ...(one.next as SealedKey), createdAt: now } })),
  );
  events = [];
  return load(db);
}

const load = (db: Database = database, box = secretBox) =>
  loadSigningKeys({ database: db, secretBox: box, clock, audit });
const rotationOf = (rotateDays = 0, db: Database = database) =>
  createKeyRotation({
    database: db,
    secretBox,
    clock,
    audit,
    announcer: { announce: async (one) => void announced.push(one) },
    config: { keys: { rotateDays }, sessions: { overallSeconds: PREVIOUS_SECONDS - 300 } } as never,
  });
const OPERATOR = { type: 'operator' } as const;
const kids = (keys: readonly JWK[]): string[] => keys.map(({ kid }) => String(kid));
const stored = () => database.collection('signing_keys').find().sort({ _id: 1 }).toArray();
const publicPart = ({ kty, n, e, crv, x, y, kid, alg, use }: JWK) =>
  JSON.parse(JSON.stringify({ kty, n, e, crv, x, y, kid, alg, use }));
/** As `keys list` shows them: algorithm, state and the first letters of the name. */
const states = async () =>
  (await rotationOf().list()).map(({ algorithm, state, kid }) => `${algorithm} ${state} ${kid}`);

describe('the first keys', () => {
  test('RS256 with 2048 bits and ES256, named by their thumbprints, and fit to sign', async () => {
    const keys = (await load()).all();
    expect(keys.map(({ alg, kty, crv, use }) => ({ alg, kty, crv, use }))).toEqual([
      { alg: 'RS256', kty: 'RSA', crv: undefined, use: 'sig' },
      { alg: 'ES256', kty: 'EC', crv: 'P-256', use: 'sig' },
    ]);
    expect(Buffer.from(String(keys[0]?.n), 'base64url')).toHaveLength(256);
    const jwks = createLocalJWKSet({ keys: keys.map(publicPart) });
    for (const key of keys) {
      expect(key.kid).toBe(await calculateJwkThumbprint(publicPart(key)));
      const jwt = await new SignJWT({})
        .setProtectedHeader({ alg: String(key.alg), kid: String(key.kid) })
        .sign(await importJWK(key as never));
      expect((await jwtVerify(jwt, jwks)).protectedHeader.kid).toBe(key.kid);
    }
  });

  test('a later start finds the same keys; the making is audited once', async () => {
    const first = (await load()).all();
    expect((await load(otherNode)).all()).toEqual(first);
    expect(events.map(({ type, details }) => `${type} ${details?.kid} ${details?.state}`)).toEqual(
      kids(first).map((kid) => `signing_keys_created ${kid} current`),
    );
  });

  test('nodes that start at once agree on one key each', async () => {
    const starts = await Promise.all(Array.from({ length: 6 }, (_, index) => load(index % 2 ? otherNode : database)));
    expect(new Set(starts.map((keys) => kids(keys.all()).join())).size).toBe(1);
    expect(await stored()).toHaveLength(2);
  });

  test('private parts are stored sealed, and a key moved to another place does not open', async () => {
    const [rsa] = (await seeded()).all();
    const documents = await stored();
    expect(JSON.stringify(documents)).not.toContain(String(rsa?.d));
    expect(JSON.stringify(documents)).not.toContain(String(rsa?.p));
    const [one, two] = documents;
    await database
      .collection<{ _id: string }>('signing_keys')
      .updateOne({ _id: String(one?._id) }, { $set: { sealed: two?.sealed } });
    await expect(load()).rejects.toThrow(/does not open: COUNTERSIGN_SEALING_KEYS/);
  });

  test('another sealing key is a clear error, never a new signing key', async () => {
    await seeded();
    const foreign = createSecretBox([{ id: 'two', key: Buffer.alloc(32, 3) }], Buffer.alloc(32, 2));
    await expect(load(database, foreign)).rejects.toThrow(/COUNTERSIGN_SEALING_KEYS/);
    const rotated = createSecretBox(
      [
        { id: 'two', key: Buffer.alloc(32, 3) },
        { id: 'one', key: Buffer.alloc(32, 1) },
      ],
      Buffer.alloc(32, 2),
    );
    expect((await load(database, rotated)).all()).toHaveLength(4);
  });
});

describe('rotation', () => {
  test('next, current, previous, gone: no key signs before it was published for a day', async () => {
    const keys = await load();
    const [first, firstEs] = kids(keys.all());
    const rotation = rotationOf();
    await rotation.keep();
    const next = (await rotation.list()).find(({ state }) => state === 'next')?.kid;
    clock.advance(2);
    await keys.maySign();
    expect(kids(keys.all()).slice(0, 2)).toEqual([first, next]);
    expect(kids(keys.all())[2]).toBe(firstEs);

    clock.advance(DAY_SECONDS - 3);
    const before = await states();
    expect(await rotation.rotate(OPERATOR)).toEqual({
      status: 'too_early',
      readyAt: new Date(clock.now().getTime() + 1_000),
    });
    expect(await states()).toEqual(before);
    clock.advance(1);
    expect(await rotation.rotate(OPERATOR)).toMatchObject({ status: 'rotated' });
    expect((await states()).filter((line) => line.startsWith('RS256'))).toEqual([
      `RS256 current ${next}`,
      expect.stringContaining('RS256 next '),
      `RS256 previous ${first}`,
    ]);
    clock.advance(2);
    await keys.maySign();
    expect(kids(keys.all())[0]).toBe(next);
    expect(kids(keys.all())[2]).toBe(first);
    expect(events.at(-1)).toMatchObject({ type: 'signing_keys_rotated', actor: OPERATOR });

    clock.advance(PREVIOUS_SECONDS - 3);
    await keys.maySign();
    expect(kids(keys.all())).toContain(first);
    clock.advance(1);
    // Published by nobody from here on, whether it has been put away or not.
    const late = await load(otherNode);
    expect(kids(late.all())).not.toContain(first);
    await rotation.keep();
    expect(JSON.stringify(await stored())).not.toContain(first);
    expect(announced).toEqual([]);
  });

  test('by the calendar, once, whichever nodes look at the same time; 0 days is never', async () => {
    await seeded();
    const due = rotationOf(90);
    clock.advance(90 * DAY_SECONDS - 1);
    const before = await states();
    await due.keep();
    expect(await states()).toEqual(before);
    clock.advance(1);
    await rotationOf(0).keep();
    expect(await states()).toEqual(before);
    await Promise.all([due.keep(), rotationOf(90, otherNode).keep(), due.keep()]);
    const turned = events.filter(({ type }) => type === 'signing_keys_rotated');
    expect(turned.map(({ details }) => details?.algorithm).sort()).toEqual(['ES256', 'RS256']);
    expect((await rotationOf().list()).map(({ state }) => state)).toEqual([
      ...['current', 'next', 'previous'],
      ...['current', 'next', 'previous'],
    ]);
  });

  test('one next key, however many nodes make it, and two rotations by hand are one', async () => {
    await load();
    await Promise.all([rotationOf().keep(), rotationOf(0, otherNode).keep(), rotationOf().keep()]);
    expect(events.filter(({ details }) => details?.state === 'next')).toHaveLength(2);
    clock.advance(DAY_SECONDS);
    const both = await Promise.all([rotationOf().rotate(OPERATOR), rotationOf(0, otherNode).rotate(OPERATOR)]);
    expect(both.map(({ status }) => status).sort()).toEqual(
      both.some(({ status }) => status === 'too_early') ? ['rotated', 'too_early'] : ['changed_meanwhile', 'rotated'],
    );
    expect((await rotationOf().list()).filter(({ state }) => state === 'previous')).toHaveLength(2);
  });
});

describe('an emergency', () => {
  test('nothing of the former keys is left, new ones are there at once, and it is told', async () => {
    const keys = await seeded();
    clock.advance(DAY_SECONDS);
    await rotationOf().rotate(OPERATOR);
    clock.advance(10);
    await keys.maySign();
    const former = kids(keys.all());
    expect(former).toHaveLength(6);
    const outcome = await rotationOf().replaceAll(OPERATOR);
    if (outcome.status !== 'rotated') throw new Error(outcome.status);
    expect(kids((await load(otherNode)).all()).filter((kid) => former.includes(kid))).toEqual([]);
    for (const kid of former) expect(JSON.stringify(await stored())).not.toContain(kid);
    expect(announced).toEqual([
      {
        type: 'signing_keys_replaced',
        at: clock.now().toISOString(),
        facts: { kids: outcome.keys.map(({ kid }) => kid), voidKids: expect.any(Array) },
      },
    ]);
    const { voidKids = [] } = (announced[0]?.facts ?? {}) as { voidKids?: string[] };
    expect([...voidKids].sort()).toEqual([...former].sort());
    expect(events.at(-1)).toMatchObject({ type: 'signing_keys_replaced', details: announced[0]?.facts });
  });

  test('nobody signs with a key that another node may not have heard of', async () => {
    const known = await seeded();
    await rotationOf().replaceAll(OPERATOR);
    const keys = await load(otherNode);
    // As far as the node that was here before knows, nothing has changed for two seconds.
    await known.maySign();
    expect(kids(known.all())).not.toEqual(kids(keys.all()));
    let isFree = false;
    const waiting = keys.maySign().then(() => {
      isFree = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(isFree).toBe(false);
    await waiting;
    clock.advance(4);
    await known.maySign();
    expect(kids(known.all())).toEqual(kids(keys.all()));
    const before = performance.now();
    await keys.maySign();
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
