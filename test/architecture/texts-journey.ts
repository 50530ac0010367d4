import type { Account } from '../../src/accounts/contract.js';
import { typePassword } from '../security/support.js';
import { pressSend, smsPage } from '../sms/support.js';
import type { TestApp } from '../support/app.js';
import type { RelyingParty } from '../support/relying-party.js';

const ORIGIN = { requestId: 'journey', browser: 'journey', ip: '192.0.2.7' };

/** Texts that stay on this machine. */
export const SMS = {
  id: 'sms',
  homeCountry: 'US',
  conversion: { outOf: 10 },
  providers: [{ name: 'development', type: 'outbox' }],
};

/** Everything that a person, a provider and an administrator do about texts. */
export async function textsJourney(app: TestApp, rp: RelyingParty, account: Account): Promise<void> {
  const { engine, outbox } = app.app;
  const texts = app.database.collection<{ _id: string; text: string }>('sms_outbox');
  const lastCode = async (): Promise<string> => {
    await outbox.kick();
    const [last] = await texts
      .find({ _id: { $gt: '' } })
      .sort({ _id: 1 })
      .toArray();
    await texts.deleteMany({ _id: { $gt: '' } });
    return /#(\d{6})$/.exec(last?.text ?? '')?.[1] ?? '';
  };
  for (const number of ['+12125550181', '+12125550182']) {
    await engine.beginEnrolment(account, 'sms', ORIGIN);
    await engine.confirmEnrolment(account, 'sms', { country: 'US', number }, ORIGIN);
    await engine.beginEnrolment(account, 'sms', ORIGIN);
    const enrolled = await engine.confirmEnrolment(account, 'sms', { code: await lastCode() }, ORIGIN);
    if (enrolled.status !== 'enrolled') throw new Error(`not enrolled: ${JSON.stringify(enrolled)}`);
  }
  await app.database
    .collection('factors')
    .updateOne({ accountId: account.id, method: 'sms' }, { $unset: { 'data.usableFrom': 1 } });
  await lastCode();
  const browser = app.browser();
  const page = await pressSend(
    browser,
    await smsPage(browser, await typePassword(browser, rp.request().url, account.login)),
  );
  const code = await lastCode();
  await browser.submit(await browser.open(page.url), { code: '000000' });
  const done = await browser.submit(await browser.open(page.url), { code });
  if (done.url.origin !== 'https://rp.example') throw new Error(`not signed in: ${done.text}`);
  await engine.receive('sms', { service: 'nobody', id: 'none', url: app.issuer, headers: {}, body: '' });
  const delivery = engine.delivery('sms');
  await delivery?.report(30);
  await delivery?.country('FR');
  await delivery?.setCountry('FR', true);
  const [phone] = (await engine.forAccount(account.id)).find(({ id }) => id === 'sms')?.factors ?? [];
  await engine.remove(account, phone?.id ?? '', ORIGIN);
}
