import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import type { JWK } from 'oidc-provider';
import type { AuditEvent } from '../../src/audit/contract.js';
import { loadSigningKeys } from '../../src/oidc/keys.js';
import { connectDatabase, type Database } from '../../src/platform/database.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const secretBox = createSecretBox([{ id: 'one', key: Buffer.alloc(32, 1) }], Buffer.alloc(32, 2));
const clock = new FakeClock();
let database: Awaited<ReturnType<typeof testDatabase>>;
let otherNode: Database;
beforeAll(async () => {
  database = await testDatabase();
  otherNode = await connectDatabase(database.uri, { name: database.name });
});
afterAll(async () => {
  await otherNode.close();
  await database.drop();
});
beforeEach(async () => {
  await database.collection('signing_keys').deleteMany({});
});

const publicPart = ({ kty, n, e, crv, x, y, kid, alg, use }: JWK) =>
  JSON.parse(JSON.stringify({ kty, n, e, crv, x, y, kid, alg, use }));

test('RS256 with 2048 bits and ES256, named by their thumbprints, and fit to sign', async () => {
  const keys = await loadSigningKeys({ database, secretBox, clock });
  expect(keys.map(({ alg, kty, crv, use }) => ({ alg, kty, crv, use }))).toEqual([
    { alg: 'RS256', kty: 'RSA', crv: undefined, use: 'sig' },
    { alg: 'ES256', kty: 'EC', crv: 'P-256', use: 'sig' },
  ]);
  expect(Buffer.from(String(keys[0]?.n), 'base64url')).toHaveLength(256);
  const jwks = createLocalJWKSet({ keys: keys.map(publicPart) });
  for (const key of keys) {
    expect(key.kid).toBe(await calculateJwkThumbprint(publicPart(key)));
    const jwt = await new SignJWT({})
      .setProtectedHeader({ alg: String(key.alg), kid: key.kid })
      .sign(await importJWK(key as never));
    expect((await jwtVerify(jwt, jwks)).protectedHeader.kid).toBe(key.kid);
  }
});

test('a later start finds the same keys; the making is audited once', async () => {
  const events: AuditEvent[] = [];
  const audit = { record: async (event: AuditEvent) => void events.push(event) };
  const first = await loadSigningKeys({ database, secretBox, clock, audit });
  expect(await loadSigningKeys({ database: otherNode, secretBox, clock, audit })).toEqual(first);
  expect(events.map(({ type, details }) => `${type} ${details?.kid}`)).toEqual(
    first.map(({ kid }) => `signing_keys_created ${kid}`),
  );
});

test('nodes that start at once agree on one key each', async () => {
  const starts = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      loadSigningKeys({ database: index % 2 ? otherNode : database, secretBox, clock }),
    ),
  );
  expect(new Set(starts.map((keys) => keys.map(({ kid }) => kid).join())).size).toBe(1);
  expect(await database.collection('signing_keys').countDocuments()).toBe(2);
});

test('private parts are stored sealed, and a key moved to another place does not open', async () => {
  const [rsa] = await loadSigningKeys({ database, secretBox, clock });
  const stored = await database.collection('signing_keys').find().toArray();
  expect(stored.map(({ state, kid }) => ({ state, kid: typeof kid }))).toEqual(
    Array(2).fill({ state: 'current', kid: 'string' }),
  );
  expect(JSON.stringify(stored)).not.toContain(String(rsa?.d));
  expect(JSON.stringify(stored)).not.toContain(String(rsa?.p));
  const [one, two] = stored;
  await database
    .collection<{ _id: string }>('signing_keys')
    .updateOne({ _id: String(one?._id) }, { $set: { sealed: two?.sealed } });
  await expect(loadSigningKeys({ database, secretBox, clock })).rejects.toThrow(
    /does not open: COUNTERSIGN_SEALING_KEYS/,
  );
});

test('another sealing key is a clear error, never a new signing key', async () => {
  await loadSigningKeys({ database, secretBox, clock });
  const foreign = createSecretBox([{ id: 'two', key: Buffer.alloc(32, 3) }], Buffer.alloc(32, 2));
  await expect(loadSigningKeys({ database, secretBox: foreign, clock })).rejects.toThrow(/COUNTERSIGN_SEALING_KEYS/);
  const rotated = createSecretBox(
    [
      { id: 'two', key: Buffer.alloc(32, 3) },
      { id: 'one', key: Buffer.alloc(32, 1) },
    ],
    Buffer.alloc(32, 2),
  );
  expect(await loadSigningKeys({ database, secretBox: rotated, clock })).toHaveLength(2);
});
