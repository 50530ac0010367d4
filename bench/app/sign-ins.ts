import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { generateSync } from 'otplib';
import type { BenchAccount } from '../accounts.js';
import { Browser, type Page, send } from '../browser.js';
import { CLIENT_ID, PASSWORD, REDIRECT_URI } from '../settings.js';
import type { Confirmer } from './people.js';
import { Phone } from './phone.js';

const SECOND_STEP = /^\/second-factor\//;

/** Whose signatures are made out to, and where the phone finds it: at another process than the browser, perhaps. */
export interface Servers {
  issuer: string;
  phone: string;
}

/** A sign-in whose password is right, and whose second step has not been looked at. */
export interface Begun<Person extends BenchAccount> {
  person: Person;
  browser: Browser;
  second: URL;
  /** Of the application (RFC 7636). */
  verifier: string;
}

export async function begin<Person extends BenchAccount>(origin: string, person: Person): Promise<Begun<Person>> {
  const browser = new Browser(origin);
  const url = new URL('/auth', origin);
  const verifier = randomBytes(32).toString('base64url');
  for (const [name, value] of Object.entries({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }))
    url.searchParams.set(name, value);
  const page = await browser.open(url);
  const { url: second, status } = await browser.submit(page, { login: person.login, password: PASSWORD }, SECOND_STEP);
  if (!SECOND_STEP.test(second.pathname)) throw new Error(`no second step: ${status} at ${second.pathname}`);
  return { person, browser, second, verifier };
}

/** What the application was sent: its code. */
const codeOf = ({ url, status }: Page): string => {
  const code = url.searchParams.get('code');
  if (!code) throw new Error(`not signed in: ${status} at ${url.pathname}`);
  return code;
};

/** The page, the code, and the way to the application. */
export async function byCode({ person, browser, second }: Begun<BenchAccount>): Promise<string> {
  return codeOf(await browser.submit(await browser.open(second), { code: generateSync({ secret: person.secret }) }));
}

/** The application's last step. */
export async function exchange({ browser, verifier }: Begun<BenchAccount>, code: string): Promise<void> {
  const form = {
    client_id: CLIENT_ID,
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: verifier,
  };
  const { status, body } = await send(new URL('/token', browser.origin), { form });
  if (status !== 200) throw new Error(`the token endpoint answers ${status}: ${body}`);
}

/** A page that shows its number and listens. */
export interface Listening {
  begun: Begun<Confirmer>;
  page: Page;
  stream: IncomingMessage;
  number: string;
}

export async function listen(begun: Begun<Confirmer>): Promise<Listening> {
  const { browser, second } = begun;
  const page = await browser.open(second);
  const [, number = ''] = /<output class="number"[^>]*>([\d ]+)</.exec(page.body) ?? [];
  const [, href = '', since = ''] = /data-events="([^"]+)" data-since="(\d+)"/.exec(page.body) ?? [];
  if (!number || !href) throw new Error(`nobody was asked: ${page.status} at ${page.url.pathname}`);
  const stream = await browser.listen(new URL(`${href}?since=${since}`, second));
  return { begun, page, stream, number: number.replaceAll(' ', '') };
}

/** What the stream says once something has changed: the event's data. */
const changed = (stream: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      const [, data] = /event: changed\ndata: ?(.*)\n\n/.exec(text) ?? [];
      if (data !== undefined) resolve(data);
    });
    stream.once('error', reject);
  });

export interface Confirmed {
  code: string;
  /** From the phone's answer to the redirect to the application, milliseconds. */
  tookMs: number;
}

/** The phone asks what waits and answers; the page hears of it and goes on as `live.js` does. */
export async function answer({ begun, page, stream, number }: Listening, servers: Servers): Promise<Confirmed> {
  const heard = changed(stream);
  const phone = new Phone(servers.issuer, servers.phone, begun.person.phone);
  const waiting = (await phone.waiting()).at(-1);
  if (!waiting) throw new Error('nothing waits');
  const approve = await phone.approval(waiting, number);
  const began = performance.now();
  await approve();
  const what = await heard;
  const next = what === 'answered' ? page : await begun.browser.open(page.url);
  const { headers, status } = await begun.browser.post(next, /\/with\/app$/);
  if (status !== 303) throw new Error(`not confirmed: ${status}`);
  const code = codeOf(await begun.browser.open(new URL(headers.location ?? '', page.url)));
  const tookMs = performance.now() - began;
  stream.destroy();
  return { code, tookMs };
}

export const byPhone = async (begun: Begun<Confirmer>, servers: Servers): Promise<Confirmed> =>
  answer(await listen(begun), servers);
