import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from '../../src/accounts/contract.js';
import { startTwilio, type TwilioStandIn } from '../../src/demo/twilio/index.js';
import { type Clock, systemClock } from '../../src/platform/clock.js';
import type { Logger } from '../../src/platform/logger.js';
import { enrolAuthenticator } from '../security/support.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';

export const ACCOUNT_SID = 'AC00000000000000000000000000000000';
export const AUTH_TOKEN = 'canary-twilio-auth-token-0000';

/** Options of the method as the tests use them: what they do not try out is out of their way. */
export const smsOptions = (twilio: Pick<TwilioStandIn, 'url'>, more: Record<string, unknown> = {}) => ({
  id: 'sms',
  homeCountry: 'US',
  countries: ['US', 'DE', 'GB'],
  providers: [
    {
      name: 'twilio',
      type: 'twilio',
      accountSid: ACCOUNT_SID,
      auth_token_env: 'TWILIO_AUTH_TOKEN',
      from: '+12025550100',
      apiBase: twilio.url,
    },
  ],
  ...more,
});

export const smsSettings = (twilio: Pick<TwilioStandIn, 'url'>, more: Record<string, unknown> = {}) => ({
  methods: [{ id: 'totp' }, smsOptions(twilio, more), { id: 'recovery_code' }],
});

/** A second application. */
const WIKI = {
  client_id: 'wiki',
  client_name: 'Wiki',
  token_endpoint_auth_method: 'none',
  redirect_uris: ['https://wiki.example/cb'],
  first_party: true,
};

export interface Texting {
  app: TestApp;
  twilio: TwilioStandIn;
  now(): Date;
  stop(): Promise<void>;
}

/** The whole server with texts, and a Twilio of its own over HTTP. */
export async function startTexting(
  more: Record<string, unknown> = {},
  options: {
    clock?: Clock;
    logger?: Logger;
    database?: TestApp['database'];
    callbackEveryMs?: number;
    client?(issuer: string): object;
  } = {},
): Promise<Texting> {
  const { callbackEveryMs = 20, client, ...ofApp } = options;
  const twilio = await startTwilio({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, callbackEveryMs });
  const app = await startApp(
    (issuer) => ({ ...smsSettings(twilio, more), clients: [RP, WIKI, ...(client ? [client(issuer)] : [])] }),
    { ...ofApp, env: { TWILIO_AUTH_TOKEN: AUTH_TOKEN } },
  );
  app.app.outbox.start();
  return {
    app,
    twilio,
    now: () => (options.clock ?? systemClock).now(),
    async stop() {
      await app.stop();
      await twilio.stop();
    },
  };
}

/** @throws when it does not come about within two seconds. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>, withinMs = 2_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('it did not come about');
    await pause(20);
  }
}

/** The code of the latest text to a number; waits for one beyond the first `seen`. */
export const codeSent = (twilio: TwilioStandIn, number: string, seen = 0): Promise<string> =>
  eventually(() => {
    const sent = twilio.messages.filter(({ to }) => to === number);
    return sent.length > seen ? /#(\d{6})$/.exec(sent[0]?.body ?? '')?.[1] : undefined;
  });

export const textsTo = (twilio: TwilioStandIn, number: string): number =>
  twilio.messages.filter(({ to }) => to === number).length;

const ORIGIN = { requestId: 'enrolment-of-the-test', browser: 'browser-of-the-test' };

/** Sets a number up through the engine, with the code that Twilio was given. */
export async function enrolPhone(
  { app, twilio }: Pick<Texting, 'app' | 'twilio'>,
  account: Account,
  number: string,
): Promise<string> {
  const { engine } = app.app;
  const seen = textsTo(twilio, number);
  const asked = await engine.confirmEnrolment(account, 'sms', { country: 'US', number }, ORIGIN);
  if (asked.status !== 'continued') throw new Error(`not sent: ${JSON.stringify(asked)}`);
  const code = await codeSent(twilio, number, seen);
  const result = await engine.confirmEnrolment(account, 'sms', { code }, ORIGIN);
  if (result.status !== 'enrolled') throw new Error(`not enrolled: ${JSON.stringify(result)}`);
  return result.factorId;
}

/** Somebody with an authenticator and a phone number. */
export async function personWithPhone(texting: Texting, login: string, number: string): Promise<Account> {
  const account = await texting.app.account(login);
  await enrolAuthenticator(texting.app, account, texting.now);
  await enrolPhone(texting, account, number);
  return account;
}

/** The page of texts, from whichever page of the second step. */
export const smsPage = (browser: Browser, page: Page): Promise<Page> =>
  browser.open(page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/sms'));

/** Presses "Send code" or "Send again". */
export const pressSend = (browser: Browser, page: Page): Promise<Page> =>
  browser.submit(page, {}, /\/with\/sms\/send$/);
