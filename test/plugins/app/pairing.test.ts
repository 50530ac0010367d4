import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pairingDigits } from '../../../plugins/app/codes.js';
import type { EngineAccount } from '../../../src/factors/index.js';
import { factorCollection } from '../../../src/factors/store.js';
import { newAccount, people, type TwoNodes } from '../../factors/two-nodes.js';
import { HERE, pairingPage, personWithPhone, twoNodesWithApp, typeDigits } from './pairs.js';
import { Phone, type PhoneAnswer, toEngine } from './phone.js';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await twoNodesWithApp();
});
beforeEach(() => {
  nodes.clock.advance(3600);
  nodes.logged.length = 0;
  nodes.audited.length = 0;
  nodes.announced.length = 0;
});
afterAll(() => nodes.stop());

const newPhone = (ip = '192.0.2.7') => Phone.make(toEngine(nodes.b, { ip }));
const active = async (account: EngineAccount) =>
  (await nodes.b.forAccount(account.id)).flatMap(({ id, factors }) => factors.map(({ label }) => `${id} ${label}`));
const stored = (account: EngineAccount) => factorCollection(nodes.database).find({ accountId: account.id }).toArray();
const REFUSED = { status: 409, body: { code: 'REFUSED' } };

test('the six digits are those of the document', () => {
  expect(pairingDigits('device-1', 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')).toBe('497566');
  fc.assert(fc.property(fc.string(), fc.string(), (id, key) => /^\d{6}$/.test(pairingDigits(id, key))));
});

describe('a phone is trusted', () => {
  test('once it has the code and its digits were typed on the computer; until then it may ask for its state alone', async () => {
    const account = newAccount();
    const page = await pairingPage(nodes.a, account);
    expect(page).toMatchObject({ stage: 'waiting', code: expect.stringMatching(/^[\w-]{43}$/) });
    const phone = await newPhone();
    const claimed = await phone.pair({ code: page.code });
    expect(claimed).toMatchObject({
      status: 200,
      body: {
        deviceId: expect.stringMatching(/^[\w-]{1,64}$/),
        state: 'pending',
        issuerName: 'Countersign',
        account: { login: account.login, name: 'Anna' },
        offline: { secret: expect.stringMatching(/^[\w-]{27}$/), algorithm: 'SHA1', digits: 6, periodSeconds: 30 },
        expiresAt: new Date(nodes.clock.now().getTime() + 600_000).toISOString(),
        serverTime: nodes.clock.now().toISOString(),
      },
    });
    expect(await pairingPage(nodes.b, account)).toMatchObject({ stage: 'found', model: 'Pixel 9', triesLeft: 3 });
    expect((await phone.post('/device')).body).toMatchObject({ state: 'pending', label: 'Pixel 9' });
    for (const [path, body] of [['/remove'], ['/challenges'], ['/push', { subscription: null }]] as const)
      expect(await phone.post(path, body)).toMatchObject(REFUSED);
    expect(await active(account)).toEqual([]);

    const spaced = `${phone.digits().slice(0, 3)} ${phone.digits().slice(3)}`;
    expect(await typeDigits(nodes.b, account, spaced)).toMatchObject({
      status: 'enrolled',
      factorId: phone.deviceId,
      label: 'Pixel 9',
      level: '2fa',
      amr: ['swk', 'user', 'mca'],
    });
    expect((await phone.post('/device')).body).toMatchObject({ state: 'active', label: 'Pixel 9' });
    expect(await active(account)).toContain('app Pixel 9');
    expect(nodes.announced).toEqual([
      { accountId: account.id, notice: 'factor_enrolled', params: expect.objectContaining({ label: 'Pixel 9' }) },
    ]);
  });

  test('by login and eight characters, however they are typed', async () => {
    const account = newAccount();
    const { typedCode } = await pairingPage(nodes.a, account);
    expect(typedCode).toMatch(/^[A-HJKMNP-TV-Z2-9]{4}-[A-HJKMNP-TV-Z2-9]{4}$/);
    const phone = await newPhone();
    const typed = {
      login: ` ${account.login.toUpperCase()} `,
      typedCode: ` ${typedCode.toLowerCase().replace('-', ' – ')} `,
    };
    expect((await phone.pair(typed)).status).toBe(200);
    expect((await typeDigits(nodes.a, account, phone.digits())).status).toBe('enrolled');
  });

  test('and keeps nothing of the pairing; its codes without a network come with it', async () => {
    const { account, phone } = await personWithPhone(nodes);
    const [device] = (await stored(account)).filter(({ method }) => method === 'app');
    expect(device?.data).toMatchObject({ pairing: null, offlineSecret: null, thumbprint: phone.thumbprint });
    const companions = (await stored(account)).filter(({ method }) => method === 'totp');
    expect(companions).toMatchObject([{ state: 'active', companionOf: { method: 'app', id: phone.deviceId } }]);
  });

  test('called by its model, told apart by a number, three of them at most', async () => {
    const account = newAccount();
    for (const label of ['Pixel 9', 'Pixel 9 2', 'Pixel 9 3']) {
      await personWithPhone(nodes, account);
      expect(await active(account)).toContain(`app ${label}`);
    }
    expect(await nodes.a.beginEnrolment(account, 'app', HERE)).toBeUndefined();
  });
});

describe('a QR code', () => {
  test('is shown again as it was, by every node, until ten minutes are over; then there is a new one and the old is worth nothing', async () => {
    const account = newAccount();
    const first = await pairingPage(nodes.a, account);
    nodes.clock.advance(599);
    const again = await Promise.all(
      Array.from({ length: 8 }, (_, n) => pairingPage(n % 2 ? nodes.a : nodes.b, account)),
    );
    for (const page of again) expect(page).toMatchObject({ code: first.code, typedCode: first.typedCode });
    nodes.clock.advance(1);
    expect(await (await newPhone()).pair({ code: first.code })).toMatchObject(REFUSED);
    const fresh = await pairingPage(nodes.b, account);
    expect(fresh.code).not.toBe(first.code);
    expect(fresh.typedCode).not.toBe(first.typedCode);
    expect(await (await newPhone()).pair({ code: first.code })).toMatchObject(REFUSED);
    expect((await (await newPhone()).pair({ code: fresh.code })).status).toBe(200);
  });

  test('that a phone has claimed is over after ten minutes, too', async () => {
    const account = newAccount();
    const phone = await newPhone();
    await phone.pair({ code: (await pairingPage(nodes.a, account)).code });
    nodes.clock.advance(600);
    expect(await typeDigits(nodes.a, account, phone.digits())).toMatchObject({ code: 'not_enrolled' });
    expect(await phone.post('/device')).toMatchObject({ status: 401, body: { code: 'DEVICE_REFUSED' } });
    expect(await active(account)).toEqual([]);
  });

  test('photographed by another: whoever claims it first, a second key is refused; the first may repeat', async () => {
    const account = newAccount();
    const { code, typedCode } = await pairingPage(nodes.a, account);
    const [first, second] = [await newPhone(), await newPhone()];
    const claimed = await first.pair({ code });
    const before = await stored(account);
    expect(await second.pair({ code })).toMatchObject(REFUSED);
    expect(await second.pair({ login: account.login, typedCode })).toMatchObject(REFUSED);
    const repeated = await first.pair({ code }, { model: 'Another name' });
    expect(repeated.body).toEqual({ ...claimed.body, serverTime: repeated.body.serverTime });
    expect(await stored(account)).toEqual(before);
  });

  test('claimed by a thief: without the digits of that key it never becomes active, three wrong ones end it', async () => {
    const account = newAccount();
    const { code } = await pairingPage(nodes.a, account);
    const thief = await newPhone();
    await thief.pair({ code });
    const owner = await newPhone();
    owner.deviceId = thief.deviceId;
    expect(await typeDigits(nodes.a, account, owner.digits())).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(await pairingPage(nodes.b, account)).toMatchObject({ stage: 'found', triesLeft: 2 });
    expect(await typeDigits(nodes.b, account, thief.wrongDigits())).toMatchObject({
      status: 'rejected',
      code: 'wrong',
    });
    expect(await typeDigits(nodes.a, account, thief.wrongDigits())).toMatchObject({ code: 'not_enrolled' });
    expect(await thief.post('/device')).toMatchObject({ status: 401, body: { code: 'DEVICE_REFUSED' } });
    expect(await typeDigits(nodes.a, account, thief.digits())).toMatchObject({ code: 'not_enrolled' });
    expect(await thief.pair({ code })).toMatchObject(REFUSED);
    const fresh = await pairingPage(nodes.b, account);
    expect(fresh).toMatchObject({ stage: 'waiting' });
    expect(fresh.code).not.toBe(code);
    expect(await active(account)).toEqual([]);
  });

  test('sixty times wrong digits at once: three are looked at, on whichever node', async () => {
    const account = newAccount();
    const phone = await newPhone();
    await phone.pair({ code: (await pairingPage(nodes.a, account)).code });
    const guesses = Array.from({ length: 60 }, (_, n) =>
      typeDigits(n % 2 ? nodes.a : nodes.b, account, phone.wrongDigits()),
    );
    const outcomes = await Promise.all(guesses);
    const wrong = outcomes.filter((one) => one.status === 'rejected' && one.code === 'wrong');
    expect(wrong).toHaveLength(2);
    expect(await typeDigits(nodes.a, account, phone.digits())).not.toMatchObject({ status: 'enrolled' });
    expect(await active(account)).toEqual([]);
  });

  test('right digits ten times at once, on both nodes, a wrong one among the first: it is trusted, and nobody undoes it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const account = newAccount();
      const phone = await newPhone();
      await phone.pair({ code: (await pairingPage(nodes.a, account)).code });
      const typed = [phone.digits(), phone.wrongDigits(), ...Array.from({ length: 9 }, () => phone.digits())];
      const outcomes = await Promise.all(
        typed.map((digits, n) => typeDigits(n % 2 ? nodes.a : nodes.b, account, digits)),
      );
      expect(outcomes.filter(({ status }) => status === 'enrolled')).toHaveLength(1);
      expect(await active(account)).toEqual(['app Pixel 9']);
      expect((await phone.post('/device')).body).toMatchObject({ state: 'active' });
    }
  });

  test('right digits after three tries are not looked at, whatever became of the node that counted them', async () => {
    const account = newAccount();
    const phone = await newPhone();
    await phone.pair({ code: (await pairingPage(nodes.a, account)).code });
    await factorCollection(nodes.database).updateOne({ _id: phone.deviceId }, { $set: { 'data.pairing.tries': 3 } });
    expect(await typeDigits(nodes.a, account, phone.digits())).toMatchObject({ code: 'not_enrolled' });
    expect(await active(account)).toEqual([]);
    expect(await pairingPage(nodes.a, account)).toMatchObject({ stage: 'waiting' });
  });

  test('a hundred phones at once, on both nodes: one has it', async () => {
    const account = newAccount();
    const { code } = await pairingPage(nodes.a, account);
    const phones = await Promise.all(
      Array.from({ length: 100 }, (_, n) => Phone.make(toEngine(n % 2 ? nodes.a : nodes.b, { ip: `198.51.100.${n}` }))),
    );
    const answers = await Promise.all(phones.map((phone) => phone.pair({ code })));
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(99);
    const winner = phones.find(({ deviceId }) => deviceId !== '') as Phone;
    expect((await stored(account))[0]?.data.thumbprint).toBe(winner.thumbprint);
    expect((await typeDigits(nodes.a, account, winner.digits())).status).toBe('enrolled');
  });

  test('belongs to the browser it was shown in: another one sees a new code, and cannot confirm', async () => {
    const account = newAccount();
    const elsewhere = { ...HERE, browser: 'browser-2' };
    const phone = await newPhone();
    await phone.pair({ code: (await pairingPage(nodes.a, account)).code });
    expect(await typeDigits(nodes.b, account, phone.digits(), elsewhere)).toMatchObject({ code: 'not_enrolled' });
    expect(await pairingPage(nodes.b, account, elsewhere)).toMatchObject({ stage: 'waiting' });
    expect(await phone.post('/device')).toMatchObject({ status: 401 });
    expect(await typeDigits(nodes.a, account, phone.digits())).toMatchObject({ code: 'not_enrolled' });
    expect(await active(account)).toEqual([]);
  });

  test('is put aside for another phone', async () => {
    const account = newAccount();
    const { code } = await pairingPage(nodes.a, account);
    const phone = await newPhone();
    await phone.pair({ code });
    expect(await nodes.b.confirmEnrolment(account, 'app', { restart: '1' }, HERE)).toEqual({ status: 'continued' });
    expect(await phone.post('/device')).toMatchObject({ status: 401 });
    const fresh = await pairingPage(nodes.a, account);
    expect(fresh).toMatchObject({ stage: 'waiting' });
    expect(fresh.code).not.toBe(code);
  });

  test('digits before any phone is there are no guess at one', async () => {
    const account = newAccount();
    const { code } = await pairingPage(nodes.a, account);
    expect(await typeDigits(nodes.a, account, '123456')).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect(await typeDigits(nodes.a, account, '12345')).toMatchObject({ status: 'rejected', code: 'malformed' });
    const phone = await newPhone();
    await phone.pair({ code });
    expect(await pairingPage(nodes.a, account)).toMatchObject({ triesLeft: 3 });
  });

  test('of an account that is not active any more is worth nothing', async () => {
    const account = newAccount();
    const { code } = await pairingPage(nodes.a, account);
    people.set(account.id, { ...account, active: false });
    expect(await (await newPhone()).pair({ code })).toMatchObject(REFUSED);
  });
});

describe('guesses', () => {
  test('the typed characters are worth nothing with another login', async () => {
    const [anna, ben] = [newAccount(), newAccount()];
    const { typedCode } = await pairingPage(nodes.a, anna);
    await pairingPage(nodes.a, ben);
    for (const login of [ben.login, 'nobody@example.com', ''.padEnd(254, 'x')])
      expect(await (await newPhone()).pair({ login, typedCode })).toMatchObject(REFUSED);
    expect((await (await newPhone()).pair({ login: anna.login, typedCode })).status).toBe(200);
  });

  const wrong = { typedCode: 'AAAA-AAAA' };

  test('at the typed characters are counted for a login, from wherever they come; the QR code goes on', async () => {
    const account = newAccount();
    const { code, typedCode } = await pairingPage(nodes.a, account);
    const answers: PhoneAnswer[] = [];
    for (let n = 0; n < 21; n += 1) {
      const phone = await Phone.make(toEngine(n % 2 ? nodes.a : nodes.b, { ip: `203.0.113.${n}` }));
      answers.push(await phone.pair({ login: account.login, ...wrong }));
    }
    expect(answers.slice(0, 20).map(({ status }) => status)).toEqual(Array(20).fill(409));
    expect(answers[20]).toMatchObject({
      status: 429,
      headers: { 'Retry-After': expect.stringMatching(/^[1-9]\d*$/), 'Device-Nonce': expect.any(String) },
      body: { code: 'TOO_MANY' },
    });
    const late = await newPhone('203.0.113.99');
    expect((await late.pair({ login: account.login, typedCode })).status).toBe(429);
    expect((await late.pair({ code })).status).toBe(200);
  });

  test('at any code are counted for an address; what was right costs nothing', async () => {
    const ip = '203.0.113.200';
    for (let n = 0; n < 5; n += 1) {
      const { code } = await pairingPage(nodes.a, newAccount());
      expect((await (await newPhone(ip)).pair({ code })).status).toBe(200);
    }
    const phone = await newPhone(ip);
    const statuses: number[] = [];
    for (let n = 0; n < 61; n += 1) statuses.push((await phone.pair({ code: 'A'.repeat(43) })).status);
    expect(statuses).toEqual([...Array(60).fill(409), 429]);
    const remembered = () => nodes.database.collection('app_requests').countDocuments();
    const before = await remembered();
    expect((await phone.pair({ code: 'A'.repeat(43) })).status).toBe(429);
    expect(await remembered()).toBe(before);
    nodes.clock.advance(600);
    expect((await phone.pair({ code: 'A'.repeat(43) })).status).toBe(409);
  });
});

/** The same bytes: the last character has two bits that mean nothing. */
const writtenOtherwise = (text: string): string => {
  const other = String.fromCharCode(text.charCodeAt(42) + 1);
  expect(Buffer.from(text.slice(0, 42) + other, 'base64url')).toEqual(Buffer.from(text, 'base64url'));
  return text.slice(0, 42) + other;
};

describe('a pairing request that is not as described', () => {
  test('is refused and changes nothing', async () => {
    const account = newAccount();
    const { code, typedCode } = await pairingPage(nodes.a, account);
    const phone = await newPhone();
    const other = await newPhone();
    const before = await stored(account);
    const { x = '', y = '' } = phone.jwk;
    const bad: [object, object?][] = [
      [{}],
      [{ code: `${code}x` }],
      [{ code: [code] }],
      [{ code: { $ne: '' } }],
      [{ code, typedCode, login: account.login }],
      [{ login: account.login }],
      [{ login: { $gt: '' }, typedCode }],
      [{ code, extra: 1 }],
      [{ code }, { model: '' }],
      [{ code }, { model: '\u200b\u0007' }],
      [{ code }, { model: 'x'.repeat(201) }],
      [{ code }, { model: { $ne: '' } }],
      [{ code }, { platform: 'toaster' }],
      [{ code }, { key: { ...phone.jwk, d: 'AAAA' } }],
      [{ code }, { key: { ...phone.jwk, crv: 'P-384' } }],
      [{ code }, { key: { ...phone.jwk, x: `${x}=` } }],
      [{ code }, { key: { ...phone.jwk, y: writtenOtherwise(y) } }],
      [{ code }, { key: { kty: 'RSA', n: x, e: 'AQAB' } }],
      [{ code }, { key: [x, y] }],
    ];
    for (const [ticket, more] of bad) {
      const answer = await phone.pair(ticket, more);
      expect({ ticket, more, status: answer.status, code: answer.body.code }).toEqual({
        ticket,
        more,
        status: 400,
        code: 'BAD_REQUEST',
      });
    }
    // No point of the curve, somebody else's key, somebody else's signature: nobody knows whose it would be.
    const forged = [
      await phone.pair({ code }, { key: { ...phone.jwk, y: x } } as never),
      await phone.pair({ code }, { key: other.jwk } as never),
      await phone.pair({ code }, {}, { privateKey: other.privateKey }),
      await phone.pair({ code }, {}, { header: { kid: other.thumbprint } }),
    ];
    for (const answer of forged) expect(answer).toMatchObject({ status: 401, body: { code: 'DEVICE_REFUSED' } });
    expect(await stored(account)).toEqual(before);
    const long = await phone.pair({ code }, { model: `Pixel  9\n${'x'.repeat(60)}` });
    expect(long.status).toBe(200);
    expect((await pairingPage(nodes.a, account)).model).toBe(`Pixel 9 ${'x'.repeat(32)}`.slice(0, 39));
  });

  test('no code, no digits and no secret stand in the log or the audit', async () => {
    const account = newAccount();
    const { code, typedCode } = await pairingPage(nodes.a, account);
    const phone = await newPhone();
    const { body } = await phone.pair({ login: account.login, typedCode });
    await (await newPhone()).pair({ code });
    await typeDigits(nodes.a, account, phone.wrongDigits());
    await typeDigits(nodes.a, account, phone.digits());
    const written = JSON.stringify([nodes.logged, nodes.audited, nodes.announced]);
    expect(nodes.logged.length).toBeGreaterThan(0);
    for (const secret of [code, typedCode, typedCode.replace('-', ''), phone.digits(), body.offline.secret])
      expect(written).not.toContain(secret);
    const kept = JSON.stringify([
      await stored(account),
      await nodes.database.collection('app_pairings').find({}).toArray(),
    ]);
    for (const secret of [code, typedCode.replace('-', ''), body.offline.secret]) expect(kept).not.toContain(secret);
  });
});
