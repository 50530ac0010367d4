import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DeviceClient } from '../../examples/device-cli/client.js';
import { pairingFrom } from '../../examples/device-cli/links.js';
import { startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { DeviceContract } from './device-contract.js';
import { firstSignIn, linkOn, pairOn, refusal, typedCodeOn } from './employee.js';
import { requestsOf } from './trusted-phone.js';

let app: TestApp;
let rp: RelyingParty;
let contract: DeviceContract;
beforeAll(async () => {
  app = await startApp(
    {
      methods: [{ id: 'app' }, { id: 'totp' }],
      policy: { firstEnrolment: 'password', setUp: { required: true } },
    },
    { path: '/tenant' },
  );
  rp = new RelyingParty(app.issuer);
  contract = await DeviceContract.of(app.issuer);
});
afterAll(() => app.stop());

/** Somebody new, before the page with the code. */
const newcomer = async (login: string) => {
  await app.account(login);
  const browser = app.browser();
  return { browser, ...(await firstSignIn(browser, rp, login)) };
};
const newPhone = () => DeviceClient.create(app.issuer, { fetch: contract.fetch });

describe('pairing a phone that was written from the document alone', () => {
  test('by the code of the page and six digits, until it is removed', async () => {
    const { browser, page } = await newcomer('anna');
    const { phone, page: done } = await pairOn(browser, page, { fetch: contract.fetch });
    expect(done.text).toContain('Confirm in the app');
    expect([phone.issuerName, phone.account, phone.isClockOff]).toEqual([
      'Countersign',
      { login: 'anna', name: 'anna' },
      false,
    ]);
    expect(await phone.status()).toMatchObject({ state: 'active', label: 'Pixel 9', push: { state: 'none' } });
    const post = await requestsOf(phone, contract.fetch);
    expect(await post('/push', { subscription: null })).toMatchObject({ push: { state: 'none' } });
    const keys = { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) };
    const nowhere = { endpoint: 'https://push.example/1', keys };
    expect(await refusal(post('/push', { subscription: nowhere }))).toMatchObject({ code: 'BAD_REQUEST' });
    await phone.remove();
    expect(await refusal(phone.status())).toMatchObject({ code: 'DEVICE_REFUSED' });
  });

  test('by what is typed, however it is typed', async () => {
    const { browser, page } = await newcomer('bela');
    const phone = await newPhone();
    const typedCode = ` ${typedCodeOn(page).toLowerCase().trim().replace(/\s+/, '-')} `;
    const { digits } = await phone.pair({ login: 'BELA', typedCode });
    expect((await phone.status()).state).toBe('pending');
    await browser.submit(await browser.open(page.url), { digits: `${digits.slice(0, 3)} ${digits.slice(3)}` });
    expect((await phone.status()).state).toBe('active');
  });

  test('a lost answer can be asked for again, by the same key alone', async () => {
    const { page } = await newcomer('cleo');
    const { code } = pairingFrom(linkOn(page));
    const [phone, other] = await Promise.all([newPhone(), newPhone()]);
    const first = await phone.pair({ code });
    const secret = phone.toStored().offline;
    expect(await phone.pair({ code })).toEqual(first);
    expect(phone.toStored().offline).toEqual(secret);
    expect(await refusal(other.pair({ code }))).toMatchObject({ code: 'REFUSED' });
  });

  test('a phone whose digits nobody has typed can do nothing; after three wrong ones it is not known any more', async () => {
    const { browser, page } = await newcomer('dora');
    const phone = await newPhone();
    const { digits } = await phone.pair({ code: pairingFrom(linkOn(page)).code });
    expect(await refusal(phone.remove())).toMatchObject({ code: 'REFUSED' });
    for (let tries = 0; tries < 3; tries += 1) {
      expect((await phone.status()).state).toBe('pending');
      const wrong = String((Number(digits) + 1 + tries) % 1_000_000).padStart(6, '0');
      await browser.submit(await browser.open(page.url), { digits: wrong });
    }
    expect(await refusal(phone.status())).toMatchObject({ code: 'DEVICE_REFUSED' });
  });

  test('two phones of one account, and two accounts on one phone, have keys of their own', async () => {
    const { browser, page, verifier } = await newcomer('erin');
    const { phone: first, page: done } = await pairOn(browser, page, { fetch: contract.fetch });
    await rp.tokens(await browser.submit(done), verifier);
    const added = await browser.open(`${app.issuer}/account/add/app`);
    const { phone: second } = await pairOn(browser, added, { fetch: contract.fetch });
    expect([(await first.status()).label, (await second.status()).label]).toEqual(['Pixel 9', 'Pixel 9 2']);
    const other = await newcomer('finn');
    const { phone: third } = await pairOn(other.browser, other.page, { fetch: contract.fetch });
    await first.remove();
    expect([(await second.status()).state, (await third.status()).state]).toEqual(['active', 'active']);
    expect([second.account?.login, third.account?.login]).toEqual(['erin', 'finn']);
  });

  test('nothing was sent or answered that the served description does not have', () => {
    expect(contract.breaches).toEqual([]);
    expect([...contract.seen]).toEqual(
      expect.arrayContaining([
        '/pairing 200',
        '/pairing 401',
        '/pairing 409',
        '/device 200',
        '/device 401',
        '/push 200',
        '/push 400',
      ]),
    );
  });
});
