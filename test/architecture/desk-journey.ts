import type { RecoveryRequest } from '../../src/recovery-desk/index.js';
import { approve, OLGA } from '../recovery-desk/support.js';
import { type Person, typePassword } from '../security/support.js';
import type { TestApp } from '../support/app.js';
import type { Page } from '../support/browser.js';
import type { RelyingParty } from '../support/relying-party.js';

const step = (page: Page, rest: string): string => page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`);

/** Everything that an employee and an administrator do at the recovery desk, with somebody who listens meanwhile. */
export async function deskJourney(app: TestApp, rp: RelyingParty, { account }: Person): Promise<void> {
  const { desk } = app.app;
  const stops = [desk.watcher.onAny(() => {}), desk.watcher.onChange('none', new Date(), () => {})];
  const browser = app.browser();
  const second = await typePassword(browser, rp.request().url, account.login);
  const ask = async (): Promise<Page> =>
    browser.submit(await browser.open(step(second, '/cannot-confirm')), { circumstances: 'other' }, /cannot-confirm$/);
  await browser.submit(await ask(), {}, /withdraw$/);
  const waiting = await ask();
  await typePassword(browser, rp.request().url, account.login);
  for (const what of ['state', 'events']) {
    const path = new RegExp(`data-${what}="([^"]+)"`).exec(waiting.html)?.[1] ?? '';
    // A stream has no end: its beginning is enough.
    const listening = new AbortController();
    const headers = { cookie: `countersign-recovery=${browser.cookie('countersign-recovery')}` };
    await fetch(new URL(path, app.issuer), { headers, signal: listening.signal });
    listening.abort();
  }
  await browser.open(step(second, '/methods'));
  const { items } = await desk.listRequests({ accountId: account.id, state: 'open' }, { limit: 5 });
  const number = /<output[^>]*>([^<]+)<\/output>/.exec(waiting.html)?.[1] ?? '';
  await approve(app, { ...(items[0] as RecoveryRequest), number, administratorsTold: 0, hasRival: false });
  await desk.openRequests([account.id]);
  await desk.findRequest(items[0]?.id ?? '');
  await browser.submit(await browser.open(waiting.url), {}, /\/later$/);
  await browser.open('/account');

  const [suspension] = (await desk.listSuspensions({ accountId: account.id, isRunning: true }, { limit: 5 })).items;
  const issued = await desk.issueAccessCode(suspension?.id ?? '', OLGA);
  const { pass } = await desk.issueAccessPass(account, 60, OLGA);
  await desk.listAccessPasses(account.id, { limit: 5 });
  const other = app.browser();
  const there = await typePassword(other, rp.request().url, account.login);
  await other.submit(await other.open(step(there, '/access-code')), {
    code: issued.status === 'issued' ? issued.code : '',
  });
  await other.submit(await other.open(step(there, '/access-pass')), { code: pass });
  await desk.factorProved(account.id, 'factor_proved', { requestId: 'test' });
  await desk.sweep();
  await desk.notMe(account.id, { requestId: 'test' });
  for (const stop of stops) stop();
}
