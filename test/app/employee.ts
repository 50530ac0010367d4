import { DeviceClient, type DeviceError } from '../../examples/device-cli/client.js';
import { pairingFrom } from '../../examples/device-cli/links.js';
import { PASSWORD } from '../support/app.js';
import type { Browser, Page } from '../support/browser.js';
import type { RelyingParty } from '../support/relying-party.js';

/** The link in the QR code of a page. */
export const linkOn = (page: Page): string => /href="([^"]+\/app\/pair#[\w-]{43})"/.exec(page.html)?.[1] ?? '';

/** The eight characters for people without a camera. */
export const typedCodeOn = (page: Page): string =>
  (/<p class="key">([\s\S]*?)<\/p>/.exec(page.html)?.[1] ?? '').replace(/<[^>]+>/g, ' ');

/** The number that a sign-in page shows. */
export const numberOn = (page: Page): string => /class="number[^"]*"[^>]*>\s*([\d\s]+?)\s*</.exec(page.html)?.[1] ?? '';

export interface Pairing {
  phone: DeviceClient;
  /** What follows in the browser. */
  page: Page;
}

/** Past the trial that follows a pairing. */
export const skipTrial = (browser: Browser, page: Page): Promise<Page> => browser.submit(page, {}, /\/skip$/);

/** From the set-up page to its end, or to the trial: a phone scans it, and its digits are typed. */
export async function pairOn(
  browser: Browser,
  page: Page,
  surroundings: { fetch?: typeof fetch; now?: () => number; model?: string; isTried?: boolean } = {},
): Promise<Pairing> {
  const { issuer, code } = pairingFrom(linkOn(page));
  const phone = await DeviceClient.create(issuer, surroundings);
  const { digits } = await phone.pair({ code }, { model: surroundings.model ?? 'Pixel 9' });
  const found = await browser.open(page.url);
  const trial = await browser.submit(found, { digits });
  return { phone, page: surroundings.isTried ? trial : await skipTrial(browser, trial) };
}

/** As far as the page that shows the code: first sign-in of somebody without a second factor. */
export async function firstSignIn(browser: Browser, rp: RelyingParty, login: string) {
  const { url, verifier } = rp.request();
  const choice = await browser.submit(await browser.open(url), { login, password: PASSWORD });
  return { page: await browser.submit(choice, { method: 'app' }), verifier };
}

/** "Continue", once the phone has answered. */
export const fetchOutcome = (browser: Browser, page: Page): Promise<Page> => browser.submit(page, {}, /\/with\/app$/);

/** @throws when it was done after all. */
export const refusal = (doing: Promise<unknown>): Promise<DeviceError> =>
  doing.then(
    () => {
      throw new Error('it was not refused');
    },
    (error) => error,
  );
