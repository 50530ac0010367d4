/** An account that is deactivated or deleted while a code is on its way. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { typePassword } from '../security/support.js';
import { ADMIN_APP, type Administrator, administrator } from '../support/administrator.js';
import { RelyingParty } from '../support/relying-party.js';
import { codeSent, personWithPhone, pressSend, smsPage, startTexting, type Texting, textsTo } from './support.js';

let texting: Texting;
let owner: Administrator;
let rp: RelyingParty;
beforeAll(async () => {
  texting = await startTexting({}, { client: ADMIN_APP });
  owner = await administrator(texting.app, 'owner@example.com', ['owner']);
  rp = new RelyingParty(texting.app.issuer);
}, 60_000);
afterAll(() => texting.stop());

/** As far as the page on which the code is typed. */
async function atCode(login: string, number: string) {
  const account = await personWithPhone(texting, login, number);
  const browser = texting.app.browser();
  const seen = textsTo(texting.twilio, number);
  const page = await pressSend(browser, await smsPage(browser, await typePassword(browser, rp.request().url, login)));
  return { account, browser, page, code: await codeSent(texting.twilio, number, seen), seen: seen + 1 };
}

test.each([
  ['deactivated', '+12125550131'],
  ['deleted', '+12125550132'],
])('%s: the code opens nothing, and no other one is sent', async (what, number) => {
  const { account, browser, page, code, seen } = await atCode(what, number);
  const path = `/accounts/${account.id}`;
  const done = what === 'deleted' ? await owner.change('DELETE', path) : await owner.post(`${path}/deactivate`);
  expect(done.status).toBeLessThan(300);
  await texting.app.database.collection<{ _id: string }>('attempts').deleteMany({ _id: /sms/ });
  for (const answer of [await browser.submit(page, { code }), await pressSend(browser, page)]) {
    expect([answer.url.origin, answer.status]).toEqual([texting.app.issuer, 403]);
  }
  expect(textsTo(texting.twilio, number)).toBe(seen);
});

test('the number of a deleted account can be another one’s; that of a deactivated one cannot', async () => {
  await texting.app.database.collection<{ _id: string }>('attempts').deleteMany({ _id: /sms/ });
  const next = await personWithPhone(texting, 'next', '+12125550132');
  expect((await texting.app.app.engine.forAccount(next.id)).map(({ id }) => id)).toEqual(['totp', 'sms']);
  await expect(personWithPhone(texting, 'another', '+12125550131')).rejects.toThrow('taken');
});
