import { generateSync } from 'otplib';
import type { Account } from '../../src/accounts/contract.js';
import { PASSWORD, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import type { RelyingParty, Tokens } from '../support/relying-party.js';

const ORIGIN = { requestId: 'enrolment-of-the-test' };

export interface Authenticator {
  secret: string;
  factorId: string;
  /** The code of the step `steps` from now: each step counts once, so enrolment takes -1 and tests take 0, then 1. */
  code(steps?: number): string;
}

/** Sets an authenticator up through the engine; the steps of now and of the next half minute are still unused. */
export async function enrolAuthenticator(
  app: TestApp,
  account: Account,
  now = () => new Date(),
): Promise<Authenticator> {
  const { engine } = app.app;
  const step = await engine.beginEnrolment(account, 'totp', ORIGIN);
  const secret = new URL(String(step?.locals.otpauthUri)).searchParams.get('secret') ?? '';
  const code = (steps = 0): string => generateSync({ secret, epoch: Math.floor(now().getTime() / 1000) + steps * 30 });
  const confirm = () => engine.confirmEnrolment(account, 'totp', { code: code(-1) }, ORIGIN);
  let result = await confirm();
  // The step may have ended between making the code and looking at it.
  if (result.status === 'rejected') result = await confirm();
  if (result.status !== 'enrolled') throw new Error(`not enrolled: ${result.status}`);
  return { secret, factorId: result.factorId, code };
}

/** Ten codes that are good once each; needs an authenticator first. */
export async function makeRecoveryCodes(app: TestApp, account: Account): Promise<string[]> {
  const { engine } = app.app;
  const step = await engine.beginEnrolment(account, 'recovery_code', ORIGIN);
  const codes = step?.locals.codes as string[];
  const result = await engine.confirmEnrolment(account, 'recovery_code', { code: codes[0] ?? '' }, ORIGIN);
  if (result.status !== 'enrolled') throw new Error(`not enrolled: ${result.status}`);
  return codes;
}

export interface Person {
  account: Account;
  authenticator: Authenticator;
  recoveryCodes: string[];
}

/** An account with both kinds of factors. */
export async function person(app: TestApp, login: string, now?: () => Date): Promise<Person> {
  const account = await app.account(login);
  const authenticator = await enrolAuthenticator(app, account, now);
  return { account, authenticator, recoveryCodes: await makeRecoveryCodes(app, account) };
}

/** As far as the right password. */
export async function typePassword(
  browser: Browser,
  url: string | URL,
  login: string,
  password = PASSWORD,
): Promise<Page> {
  return browser.submit(await browser.open(url), { login, password });
}

/** Takes the next recovery code of the page's person: unlike an authenticator's, there are ten at any moment. */
export async function typeRecoveryCode(browser: Browser, page: Page, { recoveryCodes }: Person): Promise<Page> {
  const code = recoveryCodes.pop() ?? '';
  const entry = page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/recovery_code');
  return browser.submit(await browser.open(entry), { code });
}

/** A whole sign-in with password and recovery code. */
export async function signIn(
  browser: Browser,
  rp: RelyingParty,
  someone: Person,
  parameters: Record<string, string | undefined> = {},
): Promise<Tokens & { claims: Record<string, unknown> }> {
  const { url, verifier } = rp.request(parameters);
  const atSecondStep = await typePassword(browser, url, someone.account.login);
  const page = await typeRecoveryCode(browser, atSecondStep, someone);
  const isAsked = page.forms.some(({ names }) => names.includes('decision'));
  return rp.tokens(isAsked ? await browser.submit(page, { decision: 'allow' }) : page, verifier);
}

/** What is stored, collection by collection, but for counters and the audit: to see that a request changed nothing. */
export async function snapshot(app: TestApp, leaveOut: readonly string[] = ['attempts', 'audit_events']) {
  const { connection } = app.database;
  const names = ((await connection.db?.listCollections().toArray()) ?? []).map(({ name }) => name).sort();
  const all: Record<string, string[]> = {};
  for (const name of names) {
    if (leaveOut.includes(name) || name.startsWith('system.')) continue;
    const documents = await app.database.collection(name).find({}).sort({ _id: 1 }).toArray();
    all[name] = documents.map((document) => JSON.stringify(document));
  }
  return all;
}
