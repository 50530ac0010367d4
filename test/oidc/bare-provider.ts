import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Adapter, type ClientMetadata, interactionPolicy, Provider } from 'oidc-provider';
import { installReplayDetection, type OidcStore } from '../../src/oidc/adapter/index.js';
import { unitOfWork } from '../../src/oidc/index.js';
import { createLogger } from '../../src/platform/logger.js';
import { createSecretBox } from '../../src/platform/secret-box.js';

export const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }], randomBytes(32));
const signingKey = {
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  use: 'sig',
  alg: 'ES256',
};
const cookieKey = randomBytes(32).toString('hex');

export const CALLBACK = 'http://127.0.0.1:9/cb';
const verifier = randomBytes(32).toString('base64url');
const PKCE = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
};

export const publicClient = (id: string): ClientMetadata => ({
  client_id: id,
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  redirect_uris: [CALLBACK],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  id_token_signed_response_alg: 'ES256',
});

export type Wrap = (model: string, adapter: Adapter) => Adapter;

export interface BareServer {
  provider: Provider;
  url: string;
  close(): Promise<void>;
}

/**
 * The library with nothing of ours but the store; its one page signs `alice` in, or consents, without a question.
 * @param isDirect every write at once, as in a host that has no unit of work.
 */
export async function startBareServer(
  store: OidcStore,
  { issuer, wrap, isDirect = false }: { issuer?: string; wrap?: Wrap; isDirect?: boolean } = {},
): Promise<BareServer> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.remove('native_client_prompt');
  const provider = new Provider(issuer ?? url, {
    adapter: wrap ? (model: string) => wrap(model, store.adapter(model)) : store.adapter,
    jwks: { keys: [signingKey] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
    cookies: { keys: [cookieKey] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    clientBasedCORS: () => false,
    ttl: { Session: 3600, Interaction: 600, AuthorizationCode: 60, AccessToken: 300, RefreshToken: 3600, Grant: 3600 },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
    },
    interactions: { policy, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      if (!client || !session?.accountId) return undefined;
      const id = session.grantIdFor(client.clientId);
      const known = id === undefined ? undefined : await ctx.oidc.provider.Grant.find(id);
      if (known) return known;
      const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid offline_access');
      await grant.save();
      return grant;
    },
  });
  installReplayDetection(provider, store);
  provider.silent = true;
  if (!isDirect) provider.use(unitOfWork({ provider, store, logger: createLogger('silent') }));
  const answer = provider.callback();
  // Each login has a time of its own, however fast they follow each other.
  let loginTs = Math.floor(Date.now() / 1000) - 1000;
  server.on('request', async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return answer(request, response);
    const details = await provider.interactionDetails(request, response);
    details.result =
      details.prompt.name === 'login'
        ? { login: { accountId: 'alice', ts: ++loginTs } }
        : { ...details.lastSubmission, consent: {} };
    await details.persist();
    response.writeHead(303, { location: details.returnTo }).end();
  });
  return {
    provider,
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A cookie jar and the redirects, nothing else of a browser. */
export class Browser {
  readonly #jar: Map<string, { name: string; value: string; path: string }>;

  constructor(other?: Browser) {
    this.#jar = new Map(other ? other.#jar : []);
  }

  /** Another tab would share the jar; a copy keeps both outcomes apart, so that each cookie value can be tried. */
  copy(): Browser {
    return new Browser(this);
  }

  cookie(name: string): string | undefined {
    return [...this.#jar.values()].find((cookie) => cookie.name === name)?.value;
  }

  async request(url: string, form?: Record<string, string>): Promise<Response> {
    const { pathname } = new URL(url);
    const cookie = [...this.#jar.values()]
      .filter(({ path }) => pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html' },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /path=([^;]+)/i.exec(line)?.[1] ?? '/';
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.#jar.delete(`${name} ${path}`);
      else this.#jar.set(`${name} ${path}`, { name, value, path });
    }
    return response;
  }

  /** Follows redirects until one leads to `until`, and returns where. */
  async follow(url: string, until: string): Promise<URL> {
    let at = url;
    for (let hops = 0; hops < 10; hops += 1) {
      const response = await this.request(at);
      const location = response.headers.get('location');
      if (!location) throw new Error(`${response.status} at ${at}: ${await response.text()}`);
      const next = new URL(location, at);
      if (next.href.startsWith(until)) return next;
      at = next.href;
    }
    throw new Error('too many redirects');
  }
}

export const authorizationUrl = (server: BareServer, clientId: string, extra: Record<string, string> = {}): string =>
  `${server.url}/auth?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid offline_access',
    ...PKCE,
    ...extra,
  })}`;

/** Parameters of an authorization request, for PAR. */
export const authorizationForm = (clientId: string): Record<string, string> =>
  Object.fromEntries(new URL(authorizationUrl({ url: 'http://x' } as BareServer, clientId)).searchParams);

export async function signIn(server: BareServer, browser: Browser, clientId: string): Promise<string> {
  const end = await browser.follow(authorizationUrl(server, clientId), CALLBACK);
  const code = end.searchParams.get('code');
  if (!code) throw new Error(`no code: ${end.search}`);
  return code;
}

/** `code` or the `error` of a request without a page. */
export async function silently(server: BareServer, browser: Browser, clientId: string): Promise<string> {
  const { searchParams } = await browser.follow(authorizationUrl(server, clientId, { prompt: 'none' }), CALLBACK);
  return searchParams.get('error') ?? (searchParams.has('code') ? 'code' : 'neither');
}

export interface TokenAnswer {
  status: number;
  error?: string;
  access_token: string;
  refresh_token: string;
}

async function token(server: BareServer, form: Record<string, string>): Promise<TokenAnswer> {
  const response = await fetch(`${server.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, ...((await response.json()) as Omit<TokenAnswer, 'status'>) };
}

export const redeem = (server: BareServer, clientId: string, code: string): Promise<TokenAnswer> =>
  token(server, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  });

export const refresh = (server: BareServer, clientId: string, refreshToken: string): Promise<TokenAnswer> =>
  token(server, { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken });

export const userinfoStatus = async (server: BareServer, accessToken: string): Promise<number> =>
  (await fetch(`${server.url}/me`, { headers: { authorization: `Bearer ${accessToken}` } })).status;

/** Lets `count` callers in together: all of them have read before any of them writes. */
export function gate(count: number): () => Promise<void> {
  let open: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  return () => {
    waiting += 1;
    if (waiting >= count) open();
    return opened;
  };
}
