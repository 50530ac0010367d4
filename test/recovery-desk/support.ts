import { randomBytes } from 'node:crypto';
import type { Account } from '../../src/accounts/contract.js';
import type { DeskActor, NewRequest, OwnRequest } from '../../src/recovery-desk/index.js';
import { typePassword } from '../security/support.js';
import type { TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import type { AuthorizationRequest, RelyingParty } from '../support/relying-party.js';

export const ORIGIN = { requestId: 'test', ip: '192.0.2.7', userAgent: 'Firefox/140.0 (Windows)' };
export const OLGA: DeskActor = { type: 'account', id: 'olga', origin: ORIGIN };
export const BEN: DeskActor = { type: 'account', id: 'ben', origin: ORIGIN };

/** Gives a browser a recovery cookie, as sending a request does, and says what it is known by. */
export function recoveryBrowser(app: TestApp, browser: Browser = app.browser()): { browser: Browser; hash: string } {
  const token = randomBytes(32).toString('base64url');
  browser.setCookie('countersign-recovery', token);
  return { browser, hash: app.app.secretBox.index(token, 'recovery-browser') };
}

export const newRequest = (browserHash: string, more: Partial<NewRequest> = {}): NewRequest => ({
  browserHash,
  circumstances: 'lost_or_stolen',
  isKnownBrowser: true,
  origin: ORIGIN,
  ...more,
});

export async function fileRequest(app: TestApp, account: Account, browserHash: string): Promise<OwnRequest> {
  const filed = await app.app.desk.file(account, newRequest(browserHash));
  if (filed.status !== 'filed') throw new Error(filed.status);
  return filed.request;
}

export const approve = (app: TestApp, { id, number }: OwnRequest, by = OLGA, hours = 24) =>
  app.app.desk.decide(
    id,
    { outcome: 'approved', requestNumber: number, hours, verifiedBy: 'called_number_on_file' },
    by,
  );

/** A browser whose request was approved. */
export async function suspended(app: TestApp, account: Account, hours = 24): Promise<Browser> {
  const { browser, hash } = recoveryBrowser(app);
  const decided = await approve(app, await fileRequest(app, account, hash), OLGA, hours);
  if (decided.status !== 'decided') throw new Error(decided.status);
  return browser;
}

/** Password, and on without setting anything up. */
export async function signInSuspended(
  browser: Browser,
  rp: RelyingParty,
  login: string,
  parameters: Record<string, string | undefined> = {},
): Promise<{ page: Page } & AuthorizationRequest> {
  const request = rp.request(parameters);
  const offered = await typePassword(browser, request.url, login);
  return { ...request, page: await browser.submit(offered, {}, /\/set-up\/later$/) };
}
