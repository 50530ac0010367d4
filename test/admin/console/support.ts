import { jest } from '@jest/globals';
import type { Account, Role } from '../../../src/accounts/contract.js';
import type { NewRequest, OwnRequest } from '../../../src/recovery-desk/index.js';
import { fileRequest as file, newRequest, recoveryBrowser } from '../../recovery-desk/support.js';
import { type Person, person, typePassword, typeRecoveryCode } from '../../security/support.js';
import type { TestApp } from '../../support/app.js';
import type { Browser, Page } from '../../support/browser.js';

export interface Administrator extends Person {
  browser: Browser;
  /** The page that the sign-in ended on. */
  page: Page;
}

/** Password and second step at the page that asks for them, up to where the sign-in leads. */
export async function signInAt(browser: Browser, at: string | URL, someone: Person): Promise<Page> {
  const asked = await typePassword(browser, at, someone.account.login);
  return typeRecoveryCode(browser, asked, someone);
}

/** Somebody with these roles, signed in to the console. */
export async function administrator(
  app: TestApp,
  login: string,
  roles: readonly Role[],
  at = '/console',
): Promise<Administrator> {
  const someone = await person(app, login);
  for (const role of roles) await app.app.accounts.grantRole(someone.account.id, role);
  const browser = app.browser();
  const page = await signInAt(browser, `${app.issuer}${at}`, someone);
  return { ...someone, browser, page };
}

/** A request of the account from a browser of its own. */
export async function request(app: TestApp, account: Account, more: Partial<NewRequest> = {}): Promise<OwnRequest> {
  const { hash } = recoveryBrowser(app);
  if (Object.keys(more).length === 0) return file(app, account, hash);
  const filed = await app.app.desk.file(account, newRequest(hash, more));
  if (filed.status !== 'filed') throw new Error(filed.status);
  return filed.request;
}

/** What a form needs to approve. */
export const approval = (number: string, more: Record<string, string> = {}): Record<string, string> => ({
  outcome: 'approved',
  requestNumber: number,
  verifiedBy: 'called_number_on_file',
  hours: '24',
  otherBrowsers: 'access_code',
  ...more,
});

/** Moves the time of everything in this process, the provider included, and lets it stand still from then on. */
export function travel(seconds: number): void {
  const now = Date.now();
  jest.useFakeTimers({
    now: now + seconds * 1000,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}

/** For every form of the console, a path where it is alive for this browser, whose person becomes an owner. */
export async function consolePaths(app: TestApp, browser: Browser, owner: Account): Promise<(shape: string) => string> {
  await app.app.accounts.grantRole(owner.id, 'owner');
  await browser.open('/console');
  const target = await app.account('target@example.com');
  const asked = await request(app, target);
  return (shape) =>
    shape
      .replace('/requests/:id', `/requests/${asked.id}`)
      .replace('/clients/:id', '/clients/third')
      .replace(':country', 'LV')
      .replace(':id', target.id)
      .replace(/:\w+/g, 'x');
}
