import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CompactSign } from 'jose';
import type { AuditEvent } from '../../../src/audit/contract.js';
import { factorCollection } from '../../../src/factors/store.js';
import { newAccount, origin, people, type TwoNodes } from '../../factors/two-nodes.js';
import { eventually } from '../../sms/support.js';
import { personWithPhone, twoNodesWithApp } from './pairs.js';
import { type Deviation, ISSUER, Phone, toEngine } from './phone.js';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await twoNodesWithApp();
});
beforeEach(() => {
  nodes.logged.length = 0;
  nodes.audited.length = 0;
});
afterAll(() => nodes.stop());

const reasons = () => nodes.logged.map((line) => (line as [{ reason?: string }])[0]?.reason).filter(Boolean);
const stored = async () => ({
  // Contacts of accepted requests are noted later: see the test of them.
  factors: await factorCollection(nodes.database)
    .find({}, { projection: { 'data.lastContactAt': 0 } })
    .sort({ _id: 1 })
    .toArray(),
  requests: await nodes.database.collection('app_requests').countDocuments({}),
});

/** One answer for all of them, with a nonce, and nothing in it that tells them apart. */
const REFUSED = {
  status: 401,
  title: 'This device is not accepted',
  code: 'DEVICE_REFUSED',
  serverTime: expect.any(String),
};

describe('a request of a phone', () => {
  test('is answered with the state, the server’s time and a nonce; on every node', async () => {
    const { account, phone } = await personWithPhone(nodes);
    for (const engine of [nodes.a, nodes.b]) {
      phone.send = toEngine(engine);
      const answer = await phone.post('/device');
      expect(answer).toEqual({
        status: 200,
        headers: { 'Device-Nonce': expect.stringMatching(/^[\w-]{43}$/) },
        body: {
          deviceId: phone.deviceId,
          state: 'active',
          label: 'Pixel 9',
          issuerName: 'Countersign',
          account: { login: account.login, name: 'Anna' },
          push: { publicKey: expect.stringMatching(/^[\w-]{87}$/), state: 'none' },
          serverTime: nodes.clock.now().toISOString(),
        },
      });
    }
  });

  test('without a nonce, or with one that is two minutes old, is asked for again; a minute later it still counts', async () => {
    const { phone } = await personWithPhone(nodes);
    const without = await phone.post('/device', {}, { claims: { nonce: undefined }, once: true });
    expect(without).toMatchObject({ status: 401, body: { code: 'USE_NONCE' } });
    nodes.clock.advance(60);
    expect((await phone.post('/device', {}, { once: true })).status).toBe(200);
    nodes.clock.advance(120);
    const before = await stored();
    expect(await phone.post('/device', {}, { once: true })).toMatchObject({ status: 401, body: { code: 'USE_NONCE' } });
    expect(await stored()).toEqual(before);
    expect((await phone.post('/device', {}, { once: true })).status).toBe(200);
  });

  test('counts once, on whichever node, also when it is sent a hundred times at once', async () => {
    const { phone } = await personWithPhone(nodes);
    await phone.post('/device');
    const request = phone.lastRequest as NonNullable<typeof phone.lastRequest>;
    for (const engine of [nodes.a, nodes.b]) {
      phone.send = toEngine(engine);
      expect(await phone.repeat(request)).toMatchObject({ status: 401, body: REFUSED });
    }
    expect(reasons()).toEqual(['jti', 'jti']);

    let fresh = request;
    phone.send = async (signed) => {
      fresh = signed;
      return { status: 200, headers: {}, body: {} };
    };
    await phone.post('/device');
    const sends = Array.from({ length: 100 }, (_, n) => toEngine(n % 2 ? nodes.a : nodes.b)(fresh));
    const answers = (await Promise.all(sends)).map(({ status }) => status);
    expect(answers.filter((status) => status === 200)).toHaveLength(1);
    expect(answers.filter((status) => status === 401)).toHaveLength(99);
  });

  test('notes the contact once a minute', async () => {
    const { phone } = await personWithPhone(nodes);
    const contact = async () =>
      (await factorCollection(nodes.database).findOne({ _id: phone.deviceId }))?.data.lastContactAt;
    // A moment later, with whatever else is to be noted.
    const noted = () => eventually(async () => Number(await contact()) === nodes.clock.now().getTime() || undefined);
    await phone.post('/device');
    await noted();
    const first = await contact();
    nodes.clock.advance(59);
    await phone.post('/device');
    await pause(1_500);
    expect(await contact()).toEqual(first);
    nodes.clock.advance(1);
    await phone.post('/device', {}, { privateKey: (await personWithPhone(nodes)).phone.privateKey, once: true });
    await pause(1_500);
    expect(await contact()).toEqual(first);
    await phone.post('/device');
    await noted();
  });
});

describe('refused with one answer, nothing changed, the reason in the log alone', () => {
  const attacks: [string, string, (phone: Phone, other: Phone) => Promise<Deviation> | Deviation][] = [
    ['a signature for approvals', 'typ', () => ({ header: { typ: 'countersign-approval+jwt' } })],
    ['no typ', 'header', () => ({ header: { typ: undefined } })],
    ['the key in the header', 'header', (phone) => ({ header: { jwk: phone.jwk } })],
    ['an address of a key in the header', 'header', () => ({ header: { jku: 'https://evil.example/keys' } })],
    ['certificates in the header', 'header', () => ({ header: { x5u: 'https://evil.example/cert' } })],
    ['another phone’s id', 'signature', (_phone, other) => ({ header: { kid: other.deviceId } })],
    ['another phone’s key', 'signature', (_phone, other) => ({ privateKey: other.privateKey })],
    ['an id that nobody has', 'unknown device', () => ({ header: { kid: 'A'.repeat(22) } })],
    ['an id that is no text', 'unreadable', () => ({ header: { kid: { $ne: '' } } })],
    ['an id without an end', 'unreadable', () => ({ header: { kid: 'A'.repeat(65) } })],
    ['the thumbprint in place of the id', 'unknown device', (phone) => ({ header: { kid: phone.thumbprint } })],
    ['another issuer', 'aud', () => ({ claims: { aud: 'https://evil.example' } })],
    ['several issuers', 'aud', () => ({ claims: { aud: [ISSUER] } })],
    ['another verb', 'htm', () => ({ claims: { htm: 'GET' } })],
    ['another address', 'htu', () => ({ claims: { htu: `${ISSUER}/device/v1/remove` } })],
    ['another address of the same body', 'htu', () => ({ sentPath: '/remove' })],
    ['another body', 'bh', () => ({ sentBody: '{ }' })],
    ['no hash of the body', 'bh', () => ({ claims: { bh: undefined } })],
    ['no jti', 'jti', () => ({ claims: { jti: undefined } })],
    ['a short jti', 'jti', () => ({ claims: { jti: '1' } })],
    ['a jti that is no text', 'jti', () => ({ claims: { jti: { $gt: '' } } })],
    ['no signature', 'unreadable', () => ({ headers: { 'device-signature': '' } })],
    ['two signatures', 'unreadable', () => ({ headers: { 'device-signature': 'a.b.c, a.b.c' } })],
  ];
  test.each(attacks)('%s', async (_name, reason, attack) => {
    const { phone } = await personWithPhone(nodes);
    const { phone: other } = await personWithPhone(nodes);
    await phone.post('/device');
    await other.post('/device');
    nodes.logged.length = 0;
    const before = await stored();
    const answer = await phone.post('/device', {}, { ...(await attack(phone, other)), once: true });
    expect(answer).toEqual({ status: 401, headers: { 'Device-Nonce': expect.any(String) }, body: REFUSED });
    expect(reasons()).toEqual([reason]);
    expect(await stored()).toEqual(before);
  });

  test('alg none, and a signature by what everybody knows', async () => {
    const { phone } = await personWithPhone(nodes);
    await phone.post('/device');
    const [, payload] = (phone.lastRequest?.headers['device-signature'] ?? '').split('.');
    const claims = { ...JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()), jti: 'another-jti-00000' };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = { alg: 'none', typ: 'countersign-request+jwt', kid: phone.deviceId };
    const byKey = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ ...header, alg: 'HS256' })
      .sign(Buffer.from(phone.jwk.x ?? '', 'base64url'));
    const before = await stored();
    for (const signature of [`${part(header)}.${part(claims)}.`, byKey]) {
      const request = {
        path: '/device',
        headers: { 'content-type': 'application/json', 'device-signature': signature },
      };
      expect(await phone.repeat({ ...request, body: '{}' })).toMatchObject({ status: 401, body: REFUSED });
    }
    expect(reasons()).toEqual(['alg', 'alg']);
    expect(await stored()).toEqual(before);
  });

  test('a removed phone, at once and on the other node', async () => {
    const { account, phone } = await personWithPhone(nodes);
    await phone.post('/device');
    expect(await nodes.a.remove(account, phone.deviceId, origin)).toBe('removed');
    expect(await phone.post('/device')).toMatchObject({ status: 401, body: REFUSED });
    expect(reasons()).toEqual(['unknown device']);
  });

  test('a phone of an account that is not active', async () => {
    const { account, phone } = await personWithPhone(nodes);
    people.set(account.id, { ...account, active: false });
    expect(await phone.post('/device')).toMatchObject({ status: 401, body: REFUSED });
    expect(reasons()).toEqual(['account']);
    people.set(account.id, account);
    expect((await phone.post('/device')).status).toBe(200);
  });

  test('no secret stands in the log', async () => {
    const { phone } = await personWithPhone(nodes);
    await phone.post('/device');
    await phone.post('/device', {}, { claims: { aud: 'x' } });
    const signature = phone.lastRequest?.headers['device-signature'] ?? '';
    const written = JSON.stringify(nodes.logged);
    for (const secret of [signature, phone.nonce ?? '', phone.digits()]) expect(written).not.toContain(secret);
  });
});

describe('what is asked', () => {
  test('an unknown address, another verb, a body that is not as described', async () => {
    const { phone } = await personWithPhone(nodes);
    await phone.post('/device');
    for (const path of ['/nothing', '/device/', '/device/x', '//device', '/challenges/$/answer', ''])
      expect(await phone.post(path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    const bad = [{ extra: 1 }, [], null, 'text'] as object[];
    for (const body of bad)
      expect(await phone.post('/device', body)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    const plain = await phone.post('/device', {}, { headers: { 'content-type': 'text/plain' } });
    expect(plain).toMatchObject({ status: 400, headers: { 'Device-Nonce': expect.any(String) } });
    phone.send = toEngine(nodes.a, {}, 'GET');
    expect(await phone.post('/device')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  test('to be forgotten: recorded, told, and over at once', async () => {
    const { account, phone } = await personWithPhone(nodes);
    nodes.announced.length = 0;
    expect(await phone.post('/remove')).toEqual({
      status: 200,
      headers: { 'Device-Nonce': expect.any(String) },
      body: { serverTime: nodes.clock.now().toISOString() },
    });
    expect(await phone.post('/remove')).toMatchObject({ status: 401, body: REFUSED });
    expect(await nodes.a.forAccount(account.id)).toEqual([]);
    expect(nodes.audited.map(({ type, accountId }: AuditEvent) => [type, accountId])).toContainEqual([
      'factor_removed',
      account.id,
    ]);
    expect(nodes.announced.map(({ notice }) => notice)).toEqual(['factor_removed']);
  });

  test('a stranger’s phone finds nothing', async () => {
    newAccount();
    const phone = await Phone.make(toEngine(nodes.a));
    expect(await phone.post('/device')).toMatchObject({ status: 401, body: REFUSED });
  });
});
