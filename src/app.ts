import Koa, { type Context } from 'koa';
import mount from 'koa-mount';
import type { JWK, Provider } from 'oidc-provider';
import { recoveryCode } from '../plugins/recovery-code/index.js';
import { totp } from '../plugins/totp/index.js';
import {
  ACCOUNT_CLIENT_ID,
  createVisitors,
  mountLinkPages,
  mountPasswordPages,
  mountSecurityPage,
} from './account-pages/index.js';
import * as accountsFolder from './accounts/index.js';
import {
  type AccountStore,
  createAccounts,
  createOneTimeLinks,
  createPasswordSignIn,
  createPasswords,
  createStandings,
  type OneTimeLinks,
} from './accounts/index.js';
import * as auditFolder from './audit/index.js';
import { type Audit, createAudit } from './audit/index.js';
import type { Config, Secrets } from './config/index.js';
import type { FactorMethod } from './factors/contract.js';
import * as factorsFolder from './factors/index.js';
import { createEngine, type Engine } from './factors/index.js';
import { createMailRenderer, createWeb, seeOther, type Web } from './http/index.js';
import { mountConsent } from './interaction/consent.js';
import { createKnownBrowser } from './interaction/known-browser.js';
import { mountSignIn } from './interaction/sign-in.js';
import * as notificationsFolder from './notifications/index.js';
import { createOutbox, type Outbox, type Transport } from './notifications/index.js';
import * as adapterFolder from './oidc/adapter/index.js';
import { createOidcStore, type OidcStore } from './oidc/adapter/index.js';
import { authorizationByPost } from './oidc/authorization-by-post.js';
import { findAccountIn } from './oidc/claims.js';
import { createProvider } from './oidc/provider.js';
import { sessionRevoked } from './oidc/session-revoked.js';
import type { Clock } from './platform/clock.js';
import { systemClock } from './platform/clock.js';
import type { Database } from './platform/database.js';
import type { Logger } from './platform/logger.js';
import { type Random, systemRandom } from './platform/random.js';
import { createSecretBox, type SecretBox } from './platform/secret-box.js';
import { CLIENT_METADATA, createSecondFactor, rulesOf } from './second-factor/index.js';
import * as sessionsFolder from './sessions/index.js';
import { createBackchannelLogout, createSessions, type Sessions } from './sessions/index.js';
import * as throttleFolder from './throttle/index.js';
import { createThrottle } from './throttle/index.js';

/** Every method there is; the configuration says which are offered, and in which order. */
const METHODS: readonly FactorMethod[] = [totp as FactorMethod, recoveryCode as FactorMethod];

export interface AppDeps {
  database: Database;
  secrets: Secrets;
  jwks: readonly JWK[];
  /** Of the configuration, with their secrets. */
  clients: readonly Record<string, unknown>[];
  logger: Logger;
  /** Carries mails outside. */
  transport: Transport;
  clock?: Clock;
  random?: Random;
  /** Hears of every database call of the provider's adapter. */
  onOidcCall?: (model: string, operation: string) => void;
}

export interface App {
  koa: Koa;
  provider: Provider;
  web: Web;
  accounts: AccountStore;
  engine: Engine;
  sessions: Sessions;
  links: OneTimeLinks;
  audit: Audit;
  outbox: Outbox;
  oidc: OidcStore;
  secretBox: SecretBox;
}

/** Makes the indexes of all folders; before the first request of a new version. */
export async function ensureIndexes(database: Database): Promise<void> {
  const folders = [
    accountsFolder,
    adapterFolder,
    auditFolder,
    factorsFolder,
    notificationsFolder,
    sessionsFolder,
    throttleFolder,
  ];
  await Promise.all(folders.map((folder) => folder.ensureIndexes(database)));
}

/** Wires everything together and decides nothing. */
export function createApp(config: Config, deps: AppDeps): App {
  const { database, secrets, logger, clock = systemClock, random = systemRandom } = deps;
  const { issuer } = config;
  const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
  const core = { database, clock, random, secretBox, logger };
  let provider: Provider;
  const lateProvider = (): Provider => provider;

  const web = createWeb({
    ...core,
    issuer,
    branding: config.branding,
    locales: config.locales,
    defaultLocale: config.defaultLocale,
  });
  const audit = createAudit(core);
  const throttle = createThrottle(core);
  const links = createOneTimeLinks(core);
  const passwords = createPasswords(core);
  const accounts = createAccounts({ ...core, passwords });
  const standings = createStandings({
    ...core,
    collectionName: 'accounts',
    sessionSeconds: config.sessions.overallSeconds,
  });
  const passwordSignIn = createPasswordSignIn({ ...core, passwords, throttle, audit });
  const renderMail = createMailRenderer({ catalogue: web.catalogue, branding: config.branding, clock });
  const outbox = createOutbox({
    ...core,
    transport: deps.transport,
    renderMail: (notice, { locale = config.defaultLocale, ...rest }) => renderMail(notice, { locale, ...rest }),
    notMeLink: async (accountId) => `${issuer}/not-me/${await links.create('not_me', accountId, NOT_ME_LINK_SECONDS)}`,
    deliver: { backchannel_logout: (delivery) => createBackchannelLogout(lateProvider())(delivery as never) },
  });
  const engine = createEngine({
    ...core,
    audit,
    notifier: outbox,
    throttle,
    issuerName: config.branding.companyName ?? config.branding.name,
    methods: config.methods.map(({ id, ...options }) => {
      const method = METHODS.find((known) => known.id === id);
      if (!method) throw new TypeError(`methods: there is no method ${id}`);
      return { method, config: options };
    }),
  });
  const sessions = createSessions({
    ...core,
    standings,
    audit,
    provider: lateProvider,
    overallSeconds: config.sessions.overallSeconds,
    announceLogout: (delivery) => outbox.enqueue('backchannel_logout', delivery.accountId, delivery),
  });
  const secondFactor = createSecondFactor({
    ...core,
    issuer,
    accounts,
    rules: rulesOf(config.policy),
    sessionOverallSeconds: config.sessions.overallSeconds,
    engine,
    standings,
    sessions,
    links,
    notifier: outbox,
    audit,
    web,
  });
  const oidc = createOidcStore({
    ...core,
    tombstoneSeconds: config.sessions.overallSeconds + 86_400,
    ...(deps.onOidcCall ? { onCall: deps.onOidcCall } : {}),
  });
  provider = createProvider({
    ...core,
    config,
    cookieKeys: secrets.cookieKeys,
    cookies: web.cookies,
    jwks: deps.jwks,
    store: oidc,
    presenter: web.presenter,
    findAccount: secondFactor.guard(findAccountIn(accounts)),
    policy: secondFactor.policy,
    interactionUrl: secondFactor.interactionUrl,
    clientMetadata: CLIENT_METADATA,
    clients: [accountClient(issuer), ...deps.clients],
    applicationOf: secondFactor.applicationOf,
  });
  const aroundProvider = secondFactor.middleware(provider);

  const { pages, presenter, url } = web;
  const { interactions, enrolmentPage, enrolmentCookie } = secondFactor;
  const knownBrowser = createKnownBrowser({ ...core, cookies: web.cookies });
  const shared = { pages, presenter, url, provider: lateProvider, audit, clock, engine, sessions, links, accounts };
  const visitors = createVisitors({
    ...shared,
    issuer,
    standings,
    sessionOverallSeconds: config.sessions.overallSeconds,
  });
  const { sendResetLink } = mountPasswordPages({
    ...shared,
    issuer,
    visitors,
    passwordSignIn,
    notifier: outbox,
    throttle,
    knownBrowser,
    enrolmentCookie,
    logger,
  });
  mountSignIn({
    ...shared,
    interactions,
    passwordSignIn,
    knownBrowser,
    afterPassword: secondFactor.afterPassword,
    async forcePasswordChange(ctx, account) {
      await sendResetLink(account);
      presenter.show(ctx, 'password/forgot', { action: url('/forgot-password'), sent: true });
    },
  });
  mountConsent({ ...shared, interactions });
  mountSecurityPage({
    ...shared,
    visitors,
    enrolmentPage,
    passwordChangedAt: async (accountId) => (await accounts.passwordState(accountId))?.changedAt,
  });
  mountLinkPages({
    ...shared,
    enrolmentCookie,
    markPasswordCompromised: (accountId) => accounts.markPasswordCompromised(accountId),
  });
  pages.get('/', async (ctx) => seeOther(ctx, url('/account')));

  const koa = new Koa({ proxy: config.trustedProxyHops > 0, maxIpsCount: config.trustedProxyHops });
  koa.keys = [...secrets.cookieKeys];
  // Faults become pages and log lines in the error handler; Koa's own printing would repeat them.
  koa.silent = true;
  for (const middleware of web.front) koa.use(middleware);
  koa.use(sessionRevoked({ presenter, provider, cookies: web.cookies }));
  koa.use(pages.routes() as Koa.Middleware);
  koa.use(authorizationByPost(url('/auth')) as Koa.Middleware);
  koa.use(aroundProvider as Koa.Middleware);
  provider.on('server_error', (ctx: Context, error: unknown) => {
    ctx.state.providerFault = error;
  });
  koa.use(url('') ? mount(url(''), provider as unknown as Koa) : mount(provider as unknown as Koa));
  return { koa, provider, web, accounts, engine, sessions, links, audit, outbox, oidc, secretBox };
}

/** Long enough for somebody back from holidays. */
const NOT_ME_LINK_SECONDS = 14 * 86_400;

/** The account pages sign people in like any application does, and want neither code nor token. */
const accountClient = (issuer: string): Record<string, unknown> => ({
  client_id: ACCOUNT_CLIENT_ID,
  client_name: 'Countersign',
  application_type: 'web',
  token_endpoint_auth_method: 'none',
  response_types: ['none'],
  grant_types: [],
  redirect_uris: [`${issuer}/account/signed-in`],
  initiate_login_uri: `${issuer}/account`,
  first_party: true,
});
