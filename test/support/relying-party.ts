import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { RP_SECRET } from './app.js';
import type { Browser, Page } from './browser.js';

export interface Tokens {
  status: number;
  access_token: string;
  id_token: string;
  refresh_token?: string;
  error?: string;
  scope?: string;
  token_type?: string;
}

export interface AuthorizationRequest {
  url: URL;
  verifier: string;
}

/** An application of the tests: builds requests by hand, so that wrong ones can be built too. */
export class RelyingParty {
  constructor(
    readonly issuer: string,
    readonly clientId = 'rp',
    readonly secret: string | undefined = RP_SECRET,
    readonly redirectUri = 'https://rp.example/cb',
  ) {}

  request(parameters: Record<string, string | undefined> = {}): AuthorizationRequest {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL(`${this.issuer}/auth`);
    const all: Record<string, string | undefined> = {
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      response_type: 'code',
      scope: 'openid',
      state: 's',
      nonce: 'n',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    };
    for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
    return { url, verifier };
  }

  async post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
    const basic: Record<string, string> = this.secret
      ? { authorization: `Basic ${Buffer.from(`${this.clientId}:${this.secret}`).toString('base64')}` }
      : {};
    return fetch(`${this.issuer}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic, ...headers },
      body: new URLSearchParams({ ...(this.secret ? {} : { client_id: this.clientId }), ...form }),
    });
  }

  async exchange(code: string, verifier: string): Promise<Tokens> {
    const response = await this.post('/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: this.redirectUri,
      code_verifier: verifier,
    });
    return { status: response.status, ...((await response.json()) as Omit<Tokens, 'status'>) };
  }

  async refresh(refreshToken: string): Promise<Tokens> {
    const response = await this.post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken });
    return { status: response.status, ...((await response.json()) as Omit<Tokens, 'status'>) };
  }

  userinfo(accessToken: string): Promise<Response> {
    return fetch(`${this.issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  }

  /** The code that a page brought back, or the error. */
  answer(page: Page): Record<string, string> {
    return Object.fromEntries(page.url.searchParams);
  }

  /** From a finished sign-in to tokens and claims. */
  async tokens(page: Page, verifier: string): Promise<Tokens & { claims: ReturnType<typeof decodeJwt> }> {
    const { code } = this.answer(page);
    if (!code)
      throw new Error(`no code at ${page.url.pathname} "${page.title}" ${page.url.search} ${page.text.slice(0, 300)}`);
    const tokens = await this.exchange(code, verifier);
    return { ...tokens, claims: decodeJwt(tokens.id_token) };
  }

  /** `prompt=none`: the error or `code`. */
  async silent(browser: Browser, parameters: Record<string, string> = {}): Promise<string> {
    const page = await browser.open(this.request({ prompt: 'none', ...parameters }).url);
    const answer = this.answer(page);
    return answer.error ?? (answer.code ? 'code' : 'nothing');
  }
}
