import type { Context } from 'koa';
import Provider, {
  type Client,
  type Configuration,
  errors,
  type FindAccount,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { Config } from '../config/index.js';
import type { CookieSettings, Presenter } from '../http/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { ACR } from '../policy/levels.js';
import type { OidcStore } from './adapter/index.js';
import { installReplayDetection } from './adapter/index.js';
import { CLAIMS } from './claims.js';
import { checkClientMetadata } from './client-metadata.js';
import { acceptPreviousSecrets, PREVIOUS_SECRET } from './client-secrets.js';
import { type SigningKeys, signWith } from './keys/index.js';
import { createLibraryPages } from './library-pages.js';

export interface ProviderDeps {
  config: Config;
  cookieKeys: readonly string[];
  cookies: CookieSettings;
  signingKeys: SigningKeys;
  store: OidcStore;
  clock: Clock;
  logger: Logger;
  presenter: Presenter;
  findAccount: FindAccount;
  /** Our chain of prompts over the library's. */
  policy(base: interactionPolicy.DefaultPolicy): interactionPolicy.DefaultPolicy;
  /** First segment of a prompt's pages. */
  interactionUrl(
    ctx: Context,
    interaction: { uid: string; prompt: { name: string }; params: Record<string, unknown> },
  ): string;
  clientMetadata: readonly string[];
  /** Clients that are not in the database: of the configuration, and of the server itself. */
  clients: readonly Record<string, unknown>[];
  applicationOf(ctx: Context): Promise<void>;
  managementApi: ManagementApiResource;
}

/** Our own API as a resource: what of its scopes somebody gets is decided for each of them, at every token. */
export interface ManagementApiResource {
  identifier: string;
  scopes: readonly string[];
  /** Scopes that this account's roles allow. */
  scopesOf(ctx: KoaContextWithOIDC, accountId: string): Promise<ReadonlySet<string>>;
}

/** Nobody can recall what an API has seen: short by default. */
const ACCESS_TOKEN_SECONDS = 300;

/** Of the management API: verified in this process, roles and all are read again at each request. */
const MANAGEMENT_TOKENS = { scopes: [], accessTokenFormat: 'jwt', ttlSeconds: ACCESS_TOKEN_SECONDS } as const;

const flag = (client: Client, name: string): boolean => client[name] === true;
const isPublic = (client: Client): boolean =>
  client.clientAuthMethod === 'none' || client.tokenEndpointAuthMethod === 'none';
/** A refresh family ends this long after its sign-in, however often it is rotated. */
const refreshEnds = (deps: ProviderDeps, authTime: number | undefined): number =>
  Math.max(
    1,
    (authTime ?? epochSeconds(deps.clock)) + deps.config.sessions.refreshTokenSeconds - epochSeconds(deps.clock),
  );

/** Origins of a public client's own pages: the only ones that may call from a browser. */
function originsOf(client: Client): Set<string> {
  const own = isPublic(client) ? (client.redirectUris ?? []) : [];
  // A scheme of an application's own has the origin `null`, which any sandboxed frame can claim.
  const origins = own.filter((uri) => /^https?:/.test(uri)).map((uri) => new URL(uri).origin);
  return new Set([...origins, ...((client.cors_origins as string[] | undefined) ?? [])]);
}

/**
 * Which scopes of the management API are to be had: by an application on its own behalf those of its registration, by a person
 * those of their roles. Before it is known who signs in all of them can be asked for: `narrow` comes after the sign-in.
 */
async function managementScopes(ctx: KoaContextWithOIDC, api: ManagementApiResource): Promise<readonly string[]> {
  const { client, params, account, session } = ctx.oidc;
  if (params?.grant_type === 'client_credentials') {
    const isStrong = client?.clientAuthMethod === 'private_key_jwt' || client?.dpopBoundAccessTokens === true;
    const scopes = isStrong ? ((client?.api_scopes as string[] | undefined) ?? []) : [];
    return api.scopes.filter((scope) => scopes.includes(scope));
  }
  const accountId = account?.accountId ?? session?.accountId;
  if (!accountId) return api.scopes;
  const allowed = await api.scopesOf(ctx, accountId);
  return api.scopes.filter((scope) => allowed.has(scope));
}

/** A grant gets only scopes that the account's roles allow, whoever asks for more. */
async function narrow(ctx: KoaContextWithOIDC, api: ManagementApiResource): Promise<void> {
  const server = ctx.oidc.resourceServers?.[api.identifier];
  if (server) server.scope = (await managementScopes(ctx, api)).join(' ');
}

/** First-party applications get what they ask for without a page; the grant is written only when it grows. */
async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const { oidc } = ctx;
  const { client, session, provider } = oidc;
  if (!client || !session?.accountId) return undefined;
  const consented = (oidc as unknown as { result?: { consent?: { grantId?: string } } }).result?.consent?.grantId;
  const grantId = consented ?? session.grantIdFor(client.clientId);
  const existing = grantId ? await provider.Grant.find(grantId) : undefined;
  if (!flag(client, 'first_party')) return existing;
  const grant = existing ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  const held = new Set(grant.getOIDCScopeEncountered().split(' '));
  let isGrown = !existing;
  for (const scope of oidc.requestParamOIDCScopes) {
    if (held.has(scope)) continue;
    grant.addOIDCScope(scope);
    isGrown = true;
  }
  const claims = new Set(grant.getOIDCClaimsEncountered());
  for (const claim of oidc.requestParamClaims) {
    if (claims.has(claim)) continue;
    grant.addOIDCClaims([claim]);
    isGrown = true;
  }
  for (const [identifier, server] of Object.entries(oidc.resourceServers ?? {})) {
    const granted = new Set(grant.getResourceScopeEncountered(identifier).split(' '));
    for (const scope of oidc.requestParamScopes) {
      if (!server.scopes.has(scope) || granted.has(scope)) continue;
      grant.addResourceScope(identifier, scope);
      isGrown = true;
    }
  }
  if (isGrown) await grant.save();
  return grant;
}

/** Where a token comes from: `acr`, `amr` and `auth_time` of its sign-in, so that RFC 9470 works at any API. */
function assuranceOf(ctx: KoaContextWithOIDC, isForManagement: boolean): Record<string, unknown> | undefined {
  const source =
    ctx.oidc.entities.RotatedRefreshToken ??
    ctx.oidc.entities.RefreshToken ??
    ctx.oidc.entities.AuthorizationCode ??
    ctx.oidc.entities.DeviceCode;
  if (!source?.accountId) return undefined;
  return {
    acr: source.acr,
    amr: source.amr,
    auth_time: source.authTime,
    // Our own API asks at every request whether this session is still there; nobody else needs to know it.
    ...(isForManagement ? { session_uid: source.sessionUid } : {}),
  };
}

export function createProvider(deps: ProviderDeps): Provider {
  const { config, store, cookies, clock } = deps;
  const pages = createLibraryPages(deps);
  const privateOrigins = new Set(config.privateOrigins);
  const resources = new Map(config.resources.map((resource) => [resource.identifier, resource]));
  const { secure, path } = cookies.options;
  const cookieFlags = { signed: true, httpOnly: true, sameSite: 'lax', secure } as const;

  const policy = deps.policy(interactionPolicy.base());
  const native = policy.get('consent')?.checks.get('native_client_prompt');
  if (native) {
    const { check } = native;
    native.check = (ctx) => (ctx.oidc.client && flag(ctx.oidc.client, 'first_party') ? false : check(ctx));
  }

  const settings: Configuration = {
    adapter: store.adapter as unknown as NonNullable<Configuration['adapter']>,
    acrValues: [...Object.values(ACR), ...Object.keys(config.policy.acrAliases)],
    claims: CLAIMS,
    // Which of them an ID Token holds is decided in `claims.ts`, by application.
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access'],
    clients: [...deps.clients] as never,
    extraClientMetadata: {
      properties: [...deps.clientMetadata, PREVIOUS_SECRET],
      validator: (_ctx, name, value, metadata) => checkClientMetadata(name, value, metadata, config.policy.acrAliases),
    },
    clientBasedCORS: (_ctx, origin, client) => originsOf(client).has(origin),
    jwks: { keys: [...deps.signingKeys.all()] },
    cookies: {
      keys: [...deps.cookieKeys],
      // Other applications may live beside an issuer with a path: the session is no business of theirs.
      long: { ...cookieFlags, path },
      short: { ...cookieFlags },
      names: {
        session: cookies.name('session'),
        interaction: cookies.nameWithPath('interaction'),
        resume: cookies.nameWithPath('resume'),
      },
    },
    responseTypes: ['code', 'none'],
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: (_ctx, client) => isPublic(client) || client.require_pkce !== false },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      (source.scopes.has('offline_access') || flag(client, 'issue_refresh_token')),
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'ES256'],
      userinfoSigningAlgValues: ['RS256', 'ES256'],
      requestObjectSigningAlgValues: ['RS256', 'PS256', 'ES256'],
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256'],
      dPoPSigningAlgValues: ['ES256', 'PS256', 'RS256'],
    },
    clientDefaults: { id_token_signed_response_alg: 'RS256', token_endpoint_auth_method: 'client_secret_basic' },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      revocation: { enabled: true },
      introspection: {
        enabled: true,
        // A token of an account that was deactivated or signed out everywhere would else stay "active".
        allowedPolicy: async (ctx, client, token) => {
          const mayAsk = !isPublic(client) || token.clientId === client.clientId;
          if (!mayAsk || !('accountId' in token) || typeof token.accountId !== 'string') return mayAsk;
          return Boolean(await deps.findAccount(ctx, token.accountId, token as never));
        },
      },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: pages.logout, postLogoutSuccessSource: pages.loggedOut },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true },
      userinfo: { enabled: true },
      deviceFlow: {
        enabled: config.deviceFlow.enabled,
        userCodeInputSource: pages.deviceCode,
        userCodeConfirmSource: pages.deviceConfirm,
        successSource: pages.deviceDone,
      },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx, identifier, client) => {
          const isManagement = identifier === deps.managementApi.identifier;
          const resource = isManagement ? MANAGEMENT_TOKENS : resources.get(identifier);
          // First-party applications get what they ask for unasked: what they may ask for is said in their metadata.
          const isAllowed = (client.resources as string[] | undefined)?.includes(identifier);
          if (!resource || !isAllowed) throw new errors.InvalidTarget();
          return {
            scope: (isManagement ? await managementScopes(ctx, deps.managementApi) : resource.scopes).join(' '),
            audience: identifier,
            accessTokenTTL: resource.ttlSeconds,
            accessTokenFormat: resource.accessTokenFormat,
            ...(resource.accessTokenFormat === 'jwt' ? { jwt: { sign: { alg: 'ES256' } } } : {}),
          };
        },
      },
    },
    // The library refuses private addresses with its dispatcher; the operator's own origins go without it.
    // Where the library could not set its guard up it would go without: we do not.
    fetch: async (url, options) => {
      const { dispatcher: guard, ...open } = options as RequestInit & { dispatcher?: unknown };
      if (privateOrigins.has(new URL(url).origin)) return globalThis.fetch(url, open);
      if (!guard) throw new Error('private addresses cannot be told from public ones: request refused');
      return globalThis.fetch(url, options);
    },
    findAccount: deps.findAccount,
    async loadExistingGrant(ctx) {
      await narrow(ctx, deps.managementApi);
      return loadExistingGrant(ctx);
    },
    extraTokenClaims: async (ctx, { aud }) => assuranceOf(ctx, aud === deps.managementApi.identifier),
    interactions: { policy, url: (ctx, interaction) => deps.interactionUrl(ctx, interaction as never) },
    renderError: pages.error,
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
      DeviceCode: 600,
      Grant: config.sessions.refreshTokenSeconds,
      IdToken: 300,
      Interaction: 600,
      RefreshToken: (_ctx, token) => refreshEnds(deps, token.authTime),
      Session: (_ctx, session) => {
        const now = epochSeconds(clock);
        const left = (session.loginTs ?? now) + config.sessions.overallSeconds - now;
        return Math.max(1, Math.min(config.sessions.idleSeconds, left));
      },
    },
  };
  const provider = new Provider(config.issuer, settings);
  provider.proxy = config.trustedProxyHops > 0;
  provider.maxIpsCount = config.trustedProxyHops;
  installReplayDetection(provider, store);
  acceptPreviousSecrets(provider, clock);
  deps.signingKeys.onChange((keys) => signWith(provider, keys));
  return provider;
}
