import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeviceClient } from '../../examples/device-cli/client.js';
import type { Account } from '../../src/accounts/contract.js';
import { typePassword } from '../security/support.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import { FakeClock } from '../support/clock.js';
import { RelyingParty } from '../support/relying-party.js';
import { pairPhone } from './trusted-phone.js';

let app: TestApp;
let rp: RelyingParty;
const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
beforeAll(async () => {
  app = await startApp({ methods: [{ id: 'totp' }, { id: 'app' }, { id: 'recovery_code' }] }, { clock });
  rp = new RelyingParty(app.issuer);
});
afterAll(() => app.stop());

const methodsPage = (browser: Browser, page: Page): Promise<Page> =>
  browser.open(page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/methods'));

async function withPhone(login: string): Promise<{ account: Account; client: DeviceClient }> {
  const account = await app.account(login);
  return { account, client: await pairPhone(app, account, () => clock.now().getTime()) };
}

describe('the codes of a phone without a network', () => {
  test('sign in as soon as the phone is trusted, each once, and the list names the phone', async () => {
    const { account, client } = await withPhone('anna');
    clock.advance(60);
    const browser = app.browser();
    const { url, verifier } = rp.request();
    const second = await typePassword(browser, url, account.login);
    expect(second.text).toContain('open the app on your phone that shows your verification codes');
    const list = await methodsPage(browser, second);
    expect(list.text).toMatch(/Verification code\s*Pixel · Works without internet/);
    const code = client.offlineCode().code;
    const { claims } = await rp.tokens(await browser.submit(second, { code }), verifier);
    expect([...(claims.amr as string[])].sort()).toEqual(['mfa', 'otp', 'pwd']);

    const other = app.browser();
    const again = await other.submit(await typePassword(other, rp.request().url, account.login), { code });
    expect(again.status).toBe(422);
  });

  test('the security page shows one row; removing it takes the codes', async () => {
    const { account, client } = await withPhone('ben');
    clock.advance(60);
    const browser = app.browser();
    const second = await typePassword(browser, '/account', account.login);
    const home = await browser.submit(second, { code: client.offlineCode().code });
    expect(home.url.pathname).toBe('/account');
    const removals = [...home.html.matchAll(/\/account\/factors\/([^/"]+)\/remove/g)].map(([, id]) => id);
    expect(removals).toEqual([client.deviceId]);
    const companion = await app.database.collection('factors').findOne({ accountId: account.id, method: 'totp' });
    for (const change of ['remove', 'rename']) {
      const page = await browser.open(`/account/factors/${String(companion?._id)}/${change}`);
      expect(page.status).toBe(404);
    }
    await browser.submit(await browser.open(`/account/factors/${client.deviceId}/remove`), {});
    expect(await app.database.collection('factors').countDocuments({ accountId: account.id })).toBe(0);
  });

  test('a phone that removes itself, or is revoked by an administrator, takes its codes along', async () => {
    const { account, client } = await withPhone('cleo');
    await client.remove();
    expect(await app.database.collection('factors').countDocuments({ accountId: account.id })).toBe(0);

    const dora = await withPhone('dora');
    const [device] = (await app.app.engine.forAccount(dora.account.id)).flatMap(({ factors }) => factors);
    const by = { type: 'system', origin: { requestId: 'test' } } as never;
    await app.app.desk.revokeFactors(dora.account.id, [String(device?.id)], by);
    expect(await app.database.collection('factors').countDocuments({ accountId: dora.account.id })).toBe(0);
  });

  test('what counts as set up is the phone alone', async () => {
    const { account } = await withPhone('eve');
    const stored = await app.database.collection<{ _id: string }>('accounts').findOne({ _id: account.id });
    expect(JSON.stringify(stored)).toContain('"app"');
    expect(JSON.stringify(stored)).not.toContain('"totp"');
  });
});
