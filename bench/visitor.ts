import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateSync } from 'otplib';
import type { BenchAccount } from './accounts.js';
import { Browser, type Page, send } from './browser.js';
import { CLIENT_ID, PASSWORD, REDIRECT_URI } from './settings.js';

const STEP_SECONDS = 30;

/** Hands out accounts in turn; a code of one is accepted once in 30 s. */
export class AccountPool {
  #next = 0;
  readonly #lastStep = new Map<BenchAccount, number>();

  constructor(private readonly accounts: readonly BenchAccount[]) {}

  take(): BenchAccount {
    const account = this.accounts[this.#next % this.accounts.length];
    this.#next += 1;
    const step = Math.floor(Date.now() / 1000 / STEP_SECONDS);
    if (!account || this.#lastStep.get(account) === step) throw new Error('too few accounts: raise --accounts');
    this.#lastStep.set(account, step);
    return account;
  }
}

/** How often the server asked to come back later, and was obeyed. */
export const turnedAway = { count: 0 };

interface Tokens {
  access_token: string;
  refresh_token: string;
}

/** One person at one browser, with what the application holds for them. */
export class Visitor {
  #browser: Browser;
  #tokens: Tokens | undefined;

  constructor(
    private readonly origin: string,
    private readonly pool: AccountPool,
  ) {
    this.#browser = new Browser(origin);
  }

  /** Password and code in a fresh browser, up to the application's tokens. */
  async signIn(): Promise<void> {
    const { login, secret } = this.pool.take();
    this.#browser = new Browser(this.origin);
    const { url, verifier } = this.#request();
    let page = await this.#browser.open(url);
    page = await this.#patiently(page, { login, password: PASSWORD });
    page = await this.#patiently(page, { code: generateSync({ secret }) });
    await this.#exchange(page, verifier);
  }

  /** The application asks again, the session answers without a page, the code is exchanged. */
  async signInBySession(): Promise<void> {
    const { url, verifier } = this.#request();
    await this.#exchange(await this.#browser.open(url), verifier);
  }

  async refresh(): Promise<void> {
    if (!this.#tokens) throw new Error('not signed in');
    this.#tokens = await this.#token({ grant_type: 'refresh_token', refresh_token: this.#tokens.refresh_token });
  }

  async userinfo(): Promise<void> {
    const authorization = `Bearer ${this.#tokens?.access_token}`;
    const { status, body } = await send(new URL('/me', this.origin), { headers: { authorization } });
    if (status !== 200) throw new Error(`userinfo answers ${status}: ${body}`);
  }

  #request(): { url: URL; verifier: string } {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL('/auth', this.origin);
    const parameters = {
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid',
      state: randomBytes(8).toString('hex'),
      nonce: randomBytes(8).toString('hex'),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { url, verifier };
  }

  /** A server that is full says when to try again. */
  async #patiently(page: Page, values: Record<string, string>): Promise<Page> {
    for (;;) {
      const answer = await this.#browser.submit(page, values);
      if (answer.status !== 503) return answer;
      turnedAway.count += 1;
      await sleep(1000 * Number(answer.headers['retry-after'] ?? 1));
    }
  }

  async #exchange({ url, status, body }: Page, verifier: string): Promise<void> {
    const code = url.searchParams.get('code');
    if (!code) throw new Error(`no code at ${url.pathname} (${status}): ${url.search} ${textOf(body)}`);
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier };
    this.#tokens = await this.#token(form);
  }

  async #token(form: Record<string, string>): Promise<Tokens> {
    const { status, body } = await send(new URL('/token', this.origin), { form: { client_id: CLIENT_ID, ...form } });
    if (status !== 200) throw new Error(`the token endpoint answers ${status}: ${body}`);
    return JSON.parse(body) as Tokens;
  }
}

const textOf = (html: string): string =>
  html
    .replace(/<(style|script|svg)[\s\S]*?<\/\1>|<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 300);
