import { randomUUID } from 'node:crypto';
import type { Role } from '../../src/accounts/contract.js';
import { SCOPES } from '../../src/admin/index.js';
import { type Person, person, signIn } from '../security/support.js';
import { ApiContract } from './api-contract.js';
import { RP, type TestApp } from './app.js';
import type { Browser } from './browser.js';
import { RelyingParty } from './relying-party.js';

const CLIENT_ID = 'admin-app';
const ALL = ['openid', ...SCOPES].join(' ');

/** An application that may ask for tokens of the management API: for the `clients` of a test's settings. */
export const ADMIN_APP = (issuer: string) => ({
  ...RP,
  client_id: CLIENT_ID,
  client_name: 'Administration',
  resources: [`${issuer}/api/v1`],
});

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an API answers is looked at by the tests, field by field.
  body: any;
}

/** Requests to the management API, as one caller makes them. */
export interface ApiCaller {
  token: string;
  request(
    method: string,
    path: string,
    options?: { body?: unknown; raw?: string | Buffer; headers?: Record<string, string | undefined> },
  ): Promise<Answer>;
  get(path: string): Promise<Answer>;
  /** With an Idempotency-Key of its own, unless given. */
  post(path: string, body?: unknown, key?: string): Promise<Answer>;
  /** With the ETag that a GET of the same path shows, unless given. */
  change(method: 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, ifMatch?: string): Promise<Answer>;
}

export function apiCaller(issuer: string, token: string): ApiCaller {
  const base = `${issuer}/api/v1`;
  const request: ApiCaller['request'] = async (method, path, { body, raw, headers = {} } = {}) => {
    const all: Record<string, string> = { ...(token ? { authorization: `Bearer ${token}` } : {}) };
    if (body !== undefined) all['content-type'] = 'application/json';
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) all[name] = value;
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${base}${path}`, {
      method,
      headers: all,
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    const isJson = /[/+]json$/.test(response.headers.get('content-type')?.split(';')[0] ?? '');
    const answered = text && isJson ? JSON.parse(text) : text;
    const contentType = response.headers.get('content-type') ?? '';
    // Whatever a test is about: the answer is as the document says.
    (await ApiContract.of(issuer)).check(method, path, { status: response.status, contentType, body: answered });
    return { status: response.status, headers: response.headers, body: answered };
  };
  return {
    token,
    request,
    get: (path) => request('GET', path),
    post: (path, body, key = randomUUID()) =>
      request('POST', path, { ...(body === undefined ? {} : { body }), headers: { 'idempotency-key': key } }),
    async change(method, path, body, ifMatch) {
      const etag = ifMatch ?? (await request('GET', path)).headers.get('etag') ?? '*';
      return request(method, path, { ...(body === undefined ? {} : { body }), headers: { 'if-match': etag } });
    },
  };
}

export interface Administrator extends Person, ApiCaller {
  browser: Browser;
  rp: RelyingParty;
  /** A new token of the same session. */
  again(parameters?: Record<string, string>): Promise<ApiCaller>;
}

/** Signs somebody with these roles in with two factors, and asks for every scope there is. */
export async function administrator(app: TestApp, login: string, roles: readonly Role[]): Promise<Administrator> {
  const someone = await person(app, login);
  for (const role of roles) await app.app.accounts.grantRole(someone.account.id, role);
  return asAdministrator(app, someone);
}

/** The same for somebody who is there. */
export async function asAdministrator(app: TestApp, someone: Person): Promise<Administrator> {
  const rp = new RelyingParty(app.issuer, CLIENT_ID);
  const browser = app.browser();
  const asked = { scope: ALL, resource: `${app.issuer}/api/v1` };
  const tokens = await signIn(browser, rp, someone, asked);
  return {
    ...someone,
    browser,
    rp,
    ...apiCaller(app.issuer, tokens.access_token),
    async again(parameters = {}) {
      const { url, verifier } = rp.request({ ...asked, ...parameters });
      const answer = await rp.tokens(await browser.open(url), verifier);
      return apiCaller(app.issuer, answer.access_token);
    },
  };
}
