import type { RequestListener } from 'node:http';
import Koa from 'koa';
import mount from 'koa-mount';
import type { Client } from 'oidc-provider';
import { app as confirmInApp } from '../plugins/app/index.js';
import { recoveryCode } from '../plugins/recovery-code/index.js';
import { sms } from '../plugins/sms/index.js';
import { totp } from '../plugins/totp/index.js';
import { accountClient, mountPasswordPages } from './account-pages/index.js';
import * as accountsFolder from './accounts/index.js';
import {
  ACCOUNTS_ALONGSIDE,
  backfillAccounts,
  createAccounts,
  createCoverage,
  createDirectory,
  createInvitations,
  createOneTimeLinks,
  createPasswordSignIn,
  createPasswords,
} from './accounts/index.js';
import * as apiFolder from './admin/api/index.js';
import { createManagementApi, managementApiBase, showAccount } from './admin/api/index.js';
import * as consoleFolder from './admin/console/index.js';
import { CONSOLE_CLIENT_ID, consoleClient, mountConsole } from './admin/console/index.js';
import { SCOPES, scopesOfRoles } from './admin/index.js';
import {
  type AccountClosing,
  createCarryOut,
  createImports,
  createOperations,
  keepIn,
} from './admin/operations/index.js';
import type { App, AppDeps } from './app-contract.js';
import { type Config, inConfigurationWords } from './config/index.js';
import type { FactorMethod } from './factors/contract.js';
import { coverageOf, type MethodWork } from './factors/index.js';
import { cookieKeysOf, createMailRenderer, createWeb, seeOther } from './http/index.js';
import { createKnownBrowser, mountConsent, mountSignIn, mountSwitchAccount } from './interaction/index.js';
import * as notificationsFolder from './notifications/index.js';
import { createAnnouncing, createOutbox } from './notifications/index.js';
import * as adapterFolder from './oidc/adapter/index.js';
import { createOidcStore } from './oidc/adapter/index.js';
import * as oidcFolder from './oidc/index.js';
import {
  authorizationByPost,
  createKeyRotation,
  createProvider,
  findAccountIn,
  sessionActivity,
  sessionCookie,
  sessionRevoked,
  unitOfWork,
  withCurrentKeys,
} from './oidc/index.js';
import { systemClock } from './platform/clock.js';
import type { Database } from './platform/database.js';
import { systemRandom } from './platform/random.js';
import type { SealedPlace } from './platform/sealed-places.js';
import { createSecretBox } from './platform/secret-box.js';
import type { DeskJobs } from './recovery-desk/index.js';
import * as secondFactorFolder from './second-factor/index.js';
import { CLIENT_METADATA, createSecondFactor } from './second-factor/index.js';
import { createBackchannelLogout, type LogoutDelivery } from './sessions/index.js';
import * as webhooksFolder from './webhooks/index.js';
import { createWebhooks } from './webhooks/index.js';

/** Every method there is; the configuration says which are offered, and in which order. */
const METHODS: readonly FactorMethod[] = [
  confirmInApp as FactorMethod,
  totp as FactorMethod,
  sms as FactorMethod,
  recoveryCode as FactorMethod,
];

export type { App, AppDeps } from './app-contract.js';

/** Makes the indexes of all folders; before the first request of a new version. */
export async function ensureIndexes(database: Database): Promise<void> {
  const folders = [accountsFolder, apiFolder, consoleFolder, adapterFolder, notificationsFolder, webhooksFolder];
  await Promise.all([
    ...folders.map((folder) => folder.ensureIndexes(database)),
    secondFactorFolder.ensureIndexes(database, METHODS),
  ]);
}

/** Everything that is sealed in the database, whichever methods are offered. */
export const SEALED: readonly SealedPlace[] = [
  ...[oidcFolder, adapterFolder, consoleFolder, notificationsFolder, webhooksFolder].flatMap(
    (folder): readonly SealedPlace[] => folder.SEALED,
  ),
  ...secondFactorFolder.sealedPlaces(METHODS),
];

export function methodNamed(id: string): FactorMethod {
  const method = METHODS.find((known) => known.id === id);
  if (!method) throw new TypeError(`methods: there is no method ${id}`);
  return method;
}

/** Wires everything together and decides nothing. */
export function createApp(config: Config, deps: AppDeps): App {
  const { database, secrets, logger, signingKeys, clock = systemClock, random = systemRandom } = deps;
  const { issuer } = config;
  const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
  const core = { database, clock, random, secretBox, logger };
  const web = createWeb({
    ...core,
    issuer,
    branding: config.branding,
    locales: config.locales,
    defaultLocale: config.defaultLocale,
    timeZone: config.policy.timeZone,
    ...(deps.observer ? { onAnswer: deps.observer.answered } : {}),
  });
  const { passwords = createPasswords(core) } = deps;
  const accounts = createAccounts({ ...core, passwords });
  const noteCoverage = createCoverage(core);
  const links = createOneTimeLinks(core);
  const renderMail = createMailRenderer({ catalogue: web.catalogue, branding: config.branding, clock });
  const outbox = createOutbox({
    ...core,
    transport: deps.transport,
    renderMail: (notice, { locale = config.defaultLocale, ...rest }) => renderMail(notice, { locale, ...rest }),
    notMeLink: async (accountId, notice, unit) =>
      `${issuer}/not-me/${await links.create('not_me', accountId, NOT_ME_LINK_SECONDS, unit)}?what=${notice}`,
    deliver: {
      suspension_over: (job) => jobs.suspension_over(job as DeskJobs['suspension_over']),
      factors_revoked: (job) => jobs.factors_revoked(job as DeskJobs['factors_revoked']),
      account_closed: (closing) => carryOutClosing(closing as AccountClosing),
      announcement: (announcement, attempt) => announcing(announcement, attempt),
    },
    text: {
      factor: (work, attempt) => jobs.factor(work as MethodWork, attempt),
    },
    call: {
      async backchannel_logout(delivery) {
        await signingKeys.maySign();
        await createBackchannelLogout(provider)(delivery as LogoutDelivery);
      },
      webhook: (delivery, attempt) => webhooks.deliver(delivery, attempt),
    },
  });
  const webhooks = createWebhooks({ ...core, issuer, privateOrigins: config.privateOrigins, outbox });
  const announcing = createAnnouncing({
    issuer,
    outbox,
    findAccount: (id) => accounts.find(id),
    administrators: () => accounts.administrators(),
    publish: webhooks.publish,
  });
  const announceLogout = (delivery: LogoutDelivery): Promise<void> =>
    outbox.enqueue('backchannel_logout', delivery.accountId, delivery);
  const oidc = createOidcStore({
    ...core,
    tombstoneSeconds: config.sessions.overallSeconds + 86_400,
    accountsAlongside: ACCOUNTS_ALONGSIDE,
    ...(deps.onOidcCall ? { onCall: deps.onOidcCall } : {}),
  });
  const secondFactor = inConfigurationWords(() =>
    createSecondFactor({
      ...core,
      issuer,
      accounts,
      accountsAlongside: ACCOUNTS_ALONGSIDE,
      methods: config.methods.map(({ id, ...options }) => ({ method: methodNamed(id), config: options })),
      ...(deps.readSecret ? { readSecret: deps.readSecret } : {}),
      ...(deps.observer ? { observer: deps.observer } : {}),
      policy: config.policy,
      secrets,
      notifier: outbox,
      sessionOverallSeconds: config.sessions.overallSeconds,
      keeper: {
        revoke: async (uid) =>
          ((await oidc.sessions.revoke(uid)) ?? (await oidc.sessions.ended(uid)))?.authorizations ?? {},
        revokeGrant: (grantId) => oidc.revokeGrant(grantId),
      },
      announceLogout,
      outbox,
      recoveryDesk: {
        ...config.recoveryDesk,
        // An administrator who asks is not among those who can help.
        countAdministrators: async (accountId) =>
          (await accounts.administrators()).filter(({ id }) => id !== accountId).length,
      },
      branding: config.branding,
      web,
      standingsIn: 'accounts',
      requests: oidc.units,
      onFactorsChanged: (accountId) => countFactors(accountId),
      passwords: {
        changedAt: async (accountId) => (await accounts.passwordState(accountId))?.changedAt,
        markCompromised: (accountId) => accounts.markPasswordCompromised(accountId),
      },
    }),
  );
  const countFactors = (accountId: string): Promise<void> =>
    noteCoverage(accountId, async () => coverageOf(await secondFactor.services.engine.forAccount(accountId)));
  const { audit, engine, sessions, throttle, interactions, desk, jobs } = secondFactor.services;
  const carryOutClosing = createCarryOut({ sessions, engine });
  const companyName = config.branding.companyName ?? config.branding.name;
  const consoleSecret = secretBox.index(CONSOLE_CLIENT_ID, 'client-secret');
  const fixedClients = [
    accountClient(issuer, companyName),
    consoleClient(issuer, consoleSecret, `${companyName} Console`),
    ...deps.clients,
  ];
  const cookieKeys = cookieKeysOf(secrets.cookieKeys);
  const provider = createProvider({
    ...core,
    config,
    cookieKeys,
    cookies: web.cookies,
    signingKeys,
    store: oidc,
    presenter: web.presenter,
    findAccount: secondFactor.guard(findAccountIn(secondFactor.services.requestAccounts)),
    policy: secondFactor.policy,
    interactionUrl: secondFactor.interactionUrl,
    clientMetadata: CLIENT_METADATA,
    clients: fixedClients,
    applicationOf: secondFactor.services.applicationOf,
    managementApi: {
      identifier: managementApiBase(issuer),
      scopes: SCOPES,
      scopesOf: async (ctx, id) => scopesOfRoles((await secondFactor.services.requestAccounts.find(ctx, id))?.roles),
    },
  });
  const aroundProvider = secondFactor.middleware(provider);

  const { pages, presenter, url } = web;
  const knownBrowser = createKnownBrowser({ ...core, cookies: web.cookies });
  const passwordSignIn = createPasswordSignIn({ ...core, passwords, throttle, audit });
  const shared = {
    ...secondFactor.services,
    afterPassword: secondFactor.afterPassword,
    pages,
    presenter,
    url,
    clock,
    logger,
    accounts,
    links,
    passwordSignIn,
    knownBrowser,
  };
  const { sendResetLink } = mountPasswordPages({ ...shared, issuer, notifier: outbox });
  const switchAccount = mountSwitchAccount({ ...shared, provider: () => provider });
  mountSignIn({
    ...shared,
    switchAccount,
    async forcePasswordChange(ctx, account) {
      await sendResetLink(account);
      presenter.show(ctx, 'password/forgot', { action: url('/forgot-password'), sent: true });
    },
  });
  mountConsent({ ...shared, interactions, provider: () => provider, onceWritten: oidc.units.onceWritten });
  pages.get('/', async (ctx) => seeOther(ctx, url('/account')));

  const invitations = createInvitations({ issuer, links, notifier: outbox, audit });
  const directory = createDirectory(core);
  const operations = createOperations({
    ...core,
    accounts,
    directory,
    engine,
    desk,
    audit,
    announcer: outbox,
    closing: { keep: keepIn(outbox), carryOut: carryOutClosing },
    invitations,
    clients: oidc.clients,
    reservedClientIds: [...fixedClients, ...config.clients].map(({ client_id: id }) => String(id)),
  });
  const managementApi = createManagementApi({
    ...core,
    ...secondFactor.services,
    issuer,
    signingKeys,
    locales: config.locales,
    firstEnrolment: config.policy.firstEnrolment,
    acrAliases: config.policy.acrAliases,
    requestsPerMinute: config.api.requestsPerMinute,
    accounts,
    directory,
    operations,
    notify: outbox.notify,
    sendResetLink,
    presenter: web.presenter,
    replay: oidc.replay,
    isSessionEnded: (uid) => oidc.sessions.isRevoked(uid),
    grants: { list: (accountId) => oidc.listGrants(accountId), revoke: (grantId) => oidc.revokeGrant(grantId) },
    webhooks,
    clients: oidc.clients,
    configuredClients: config.clients,
    resourceIdentifiers: [managementApiBase(issuer), ...config.resources.map(({ identifier }) => identifier)],
    async applicationName(id) {
      return (await provider.Client.find(id))?.clientName ?? id;
    },
    async findClient(id) {
      const client = await provider.Client.find(id);
      return client && { apiScopes: (client.api_scopes as string[] | undefined) ?? [] };
    },
  });

  const texts = engine.delivery('sms');
  let handler: RequestListener | undefined;
  mountConsole({
    ...core,
    issuer,
    web,
    trustedProxyHops: config.trustedProxyHops,
    clientSecret: consoleSecret,
    handler: () => {
      handler ??= koa.callback();
      return handler;
    },
    watcher: desk.watcher,
    eventStreams: web.streams,
    suspensionHours: config.recoveryDesk.suspensionHours,
    ...(texts ? { smsCountries: texts.countries } : {}),
  });

  const koa = new Koa({ proxy: config.trustedProxyHops > 0, maxIpsCount: config.trustedProxyHops });
  koa.keys = cookieKeys;
  // Faults become pages and log lines in the error handler; Koa's own printing would repeat them.
  koa.silent = true;
  for (const middleware of web.front) koa.use(middleware);
  koa.use(sessionRevoked({ provider, cookies: web.cookies }));
  koa.use(unitOfWork({ provider, store: oidc, logger }));
  koa.use(managementApi as Koa.Middleware);
  koa.use(pages.routes() as Koa.Middleware);
  koa.use(authorizationByPost(url('/auth')) as Koa.Middleware);
  koa.use(sessionCookie({ provider, ...config.sessions }));
  koa.use(sessionActivity({ store: oidc, logger, ...config.sessions }));
  koa.use(aroundProvider as Koa.Middleware);
  // The application did not take the logout token of an end_session: the outbox tries again.
  provider.on('backchannel.error', (_ctx, err: Error, { clientId }: Client, accountId: string, sid?: string) => {
    logger.warn({ clientId, err }, 'logout token not delivered');
    announceLogout({ clientId, accountId, ...(sid ? { sid } : {}) }).catch((error: unknown) =>
      logger.error({ clientId, err: error }, 'logout token lost'),
    );
  });
  koa.use(withCurrentKeys({ signingKeys, publicPaths: ['/jwks', '/.well-known/openid-configuration'].map(url) }));
  koa.use(url('') ? mount(url(''), provider as unknown as Koa) : mount(provider as unknown as Koa));
  return {
    database,
    koa,
    provider,
    web,
    accounts,
    engine,
    sessions,
    links,
    audit,
    outbox,
    oidc,
    secretBox,
    sendInvitation: invitations.send,
    showAccount: showAccount(secondFactor.services.standings),
    directory,
    operations,
    importer: createImports({ ...core, passwords, audit, engine, webhooks, announcer: outbox }),
    desk,
    webhooks,
    keyRotation: createKeyRotation({ ...core, config, audit, announcer: outbox }),
    fillAccounts: (grip) => backfillAccounts(core, countFactors, grip),
  };
}

/** Long enough for somebody back from holidays. */
const NOT_ME_LINK_SECONDS = 14 * 86_400;
