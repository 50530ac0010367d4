import type { Context, Next } from 'koa';
import type { FindAccount, interactionPolicy, Provider } from 'oidc-provider';
import { createVisitors, mountLinkPages, mountSecurityPage, type Visitors } from '../account-pages/index.js';
import type { Account, AccountSource, AccountsAlongside } from '../accounts/contract.js';
import {
  createOneTimeLinks,
  createStandings,
  type OneTimeLinks,
  type Standings,
  type StandingsCollection,
} from '../accounts/index.js';
import { type AuditEvent, type AuditLog, createAudit } from '../audit/index.js';
import type { FactorMethod } from '../factors/contract.js';
import { createEngine, type Engine, type SecretReader } from '../factors/index.js';
import { type Branding, createWeb, type Web } from '../http/index.js';
import type { EnrolmentCookie, Interactions, RecoveryCookie } from '../interaction/index.js';
import type { Notifier } from '../notifications/contract.js';
import { createChangeWatcher } from '../platform/change-watcher.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { createLogger, type Logger } from '../platform/logger.js';
import { type Random, systemRandom } from '../platform/random.js';
import { createSecretBox, type SealingKey, type SecretBox } from '../platform/secret-box.js';
import { createRecoveryDesk, deskJobs, type RecoveryDesk } from '../recovery-desk/index.js';
import {
  createBackchannelLogout,
  createSessions,
  keeperOf,
  type LogoutDelivery,
  type SessionKeeper,
  type Sessions,
} from '../sessions/index.js';
import { createThrottle, type Throttle, watchedThrottle } from '../throttle/index.js';
import { mountApis } from './apis.js';
import { mountCallbacks } from './callbacks.js';
import { type AfterPassword, composeSecondFactor, type InteractionOfPrompt } from './compose.js';
import { type DeskOutbox, type DoneLater, doneAtOnce } from './done-at-once.js';
import { createRequestAccounts, type RequestAccounts } from './request-accounts.js';
import { type PolicySettings, rulesOf } from './rules.js';
import { mountSites } from './sites.js';

const DAY_SECONDS = 86_400;

export interface SecondFactorOptions {
  /** The provider's issuer; the pages live below it. */
  issuer: string;
  /** Where factors, challenges, audit and standings are kept; see `ensureIndexes`. */
  database: Database;
  accounts: AccountSource;
  /** In the order in which people see them. */
  methods: readonly { method: FactorMethod; config?: unknown }[];
  /** Secrets of the methods' services, by the name of their environment variable. */
  readSecret?: SecretReader;
  policy: PolicySettings;
  /** `sealingKeys` newest first; `indexKey` is 32 bytes. */
  secrets: { sealingKeys: readonly SealingKey[]; indexKey: Buffer };
  /** Carries the announcements of every change to the person concerned. */
  notifier: Notifier;
  /** Longest life of a session, by default a day: as the provider's own `ttl.Session`. */
  sessionOverallSeconds?: number;
  /** Ends sessions and grants; by default through the provider's models. */
  keeper?: SessionKeeper;
  /** Delivers a logout token; by default at once and without a second try. */
  announceLogout?(delivery: LogoutDelivery): Promise<void>;
  /** Stores what is to be told and done after a decision, in one unit with it; by default at once and without a second try. */
  outbox?: DeskOutbox;
  recoveryDesk?: {
    /** Lengths that may be chosen, hours; by default one day and two. */
    suspensionHours?: readonly number[];
    /** When somebody is at the desk, as the page says it. */
    usualHours?: string;
    /** How many administrators hear of a request of this account. */
    countAdministrators?(accountId: string): Promise<number>;
  };
  branding?: Branding;
  locales?: readonly string[];
  defaultLocale?: string;
  clock?: Clock;
  random?: Random;
  logger?: Logger;
  /** Pages and layout of a server that has more of them. */
  web?: Web;
  /** Where accounts are, when they are in the same database: they are then read with what belongs to them. */
  accountsAlongside?: AccountsAlongside;
  /** Where standings are kept: apart, unless the accounts are our own. */
  standingsIn?: StandingsCollection;
  /** What an adapter does for a request that reads once and writes at its end; by default everything is done at once. */
  requests?: {
    /** An account that the request has read together with what belongs to it. */
    account(id: string): Account | undefined;
    /** Forgets what the request has read, when another request is waited for. */
    lookAgain(): void;
    /** Does what follows from an answer once that is written. */
    onceWritten(work: () => Promise<void>): Promise<void>;
  };
  /** Hears that what an account has set up is not what it was. */
  onFactorsChanged?(accountId: string): Promise<void>;
  /** Hears of what happens, for metrics. */
  observer?: { audited(event: AuditEvent): void /** @param counter that refused. */; throttled(counter: string): void };
  /** For the account pages of a server that keeps the passwords itself. */
  passwords?: {
    changedAt(accountId: string): Promise<Date | undefined>;
    markCompromised(accountId: string): Promise<unknown>;
  };
}

export interface SecondFactor {
  /** Puts our prompt and checks into a base policy: `interactions.policy` of the provider. */
  policy(base: interactionPolicy.DefaultPolicy): interactionPolicy.DefaultPolicy;
  /** Where the pages of our prompts are: `interactions.url` of the provider. */
  interactionUrl(ctx: Context, interaction: InteractionOfPrompt): string;
  /** Ends a login page that has seen the right password: asks for the second factor, or signs in where none is needed. */
  afterPassword: AfterPassword;
  /** `findAccount` of the provider with our refusals: deactivated, signed out everywhere, session ended. */
  guard(findAccount: FindAccount): FindAccount;
  /**
   * Binds the provider and mounts the pages. Goes in front of the provider: `provider.use(secondFactor.middleware(provider))`,
   * or into the application that holds it: always there when the provider is mounted below a path.
   */
  middleware(provider: Provider): (ctx: Context, next: Next) => Promise<void>;
  /** The services underneath, for a server that builds more on them. */
  readonly services: SecondFactorServices;
}

export interface SecondFactorServices {
  web: Web;
  engine: Engine;
  audit: AuditLog;
  throttle: Throttle;
  links: OneTimeLinks;
  standings: Standings;
  sessions: Sessions;
  secretBox: SecretBox;
  visitors: Visitors;
  interactions: Interactions;
  enrolmentCookie: EnrolmentCookie;
  requestAccounts: RequestAccounts;
  applicationOf(ctx: Context): Promise<void>;
  desk: RecoveryDesk;
  recoveryCookie: RecoveryCookie;
  /** Does what is put into the outbox, by kind. */
  jobs: DoneLater;
}

/** The second factor for an `oidc-provider`: everything it needs is made here, from what the host gives. */
export function createSecondFactor(options: SecondFactorOptions): SecondFactor {
  const { issuer, database, accounts, notifier, branding = { name: 'Countersign' } } = options;
  const { clock = systemClock, random = systemRandom, logger = createLogger() } = options;
  const { locales = ['en', 'de'], defaultLocale = 'en', sessionOverallSeconds = DAY_SECONDS } = options;
  const secretBox = createSecretBox(options.secrets.sealingKeys, options.secrets.indexKey);
  const core = { database, clock, random, logger, secretBox };
  let bound: Provider | undefined;
  const provider = (): Provider => {
    if (!bound) throw new Error('the second factor is not bound: call middleware(provider)');
    return bound;
  };

  const isHosted = options.web !== undefined;
  const web =
    options.web ?? createWeb({ ...core, issuer, branding, locales, defaultLocale, timeZone: options.policy.timeZone });
  const knownLocale = (locale: string | undefined): string => web.catalogue.pickLocale({ query: locale });
  const { observer } = options;
  const audit = createAudit({ ...core, onRecord: observer?.audited });
  const throttle = observer ? watchedThrottle(createThrottle(core), observer.throttled) : createThrottle(core);
  const links = createOneTimeLinks(core);
  const standings = createStandings({
    ...core,
    collectionName: options.standingsIn ?? 'account_standings',
    sessionSeconds: sessionOverallSeconds,
  });
  const engine = createEngine({
    ...core,
    audit,
    notifier,
    throttle,
    issuerName: branding.companyName ?? branding.name,
    issuer,
    timeZone: options.policy.timeZone,
    findAccount: (id) => options.accounts.find(id),
    ...(options.accountsAlongside ? { accountsAlongside: options.accountsAlongside } : {}),
    // Made below: nothing is told or posted before the first request.
    announcer: { announce: (...announcement) => outbox.announce(...announcement) },
    post: (accountId, work, unit) => outbox.enqueue('factor', accountId, work, unit ? { unit } : {}),
    translate: (locale, key, params) => web.catalogue.translator(knownLocale(locale))(key, params),
    ...(options.readSecret ? { readSecret: options.readSecret } : {}),
    methods: options.methods.map(({ method, config = {} }) => ({ method, config })),
    ...(options.onFactorsChanged ? { onChange: options.onFactorsChanged } : {}),
  });
  const announceAtOnce = async (delivery: LogoutDelivery): Promise<void> => {
    void createBackchannelLogout(provider())(delivery).catch((err: unknown) => {
      logger.warn({ clientId: delivery.clientId, err }, 'logout token not delivered');
    });
  };
  const sessions = createSessions({
    ...core,
    standings,
    audit,
    keeper: options.keeper ?? keeperOf(provider),
    overallSeconds: sessionOverallSeconds,
    announceLogout: options.announceLogout ?? announceAtOnce,
  });
  const { suspensionHours = [24, 48], usualHours, countAdministrators = async () => 0 } = options.recoveryDesk ?? {};
  const jobs: DoneLater = {
    ...deskJobs({ sessions, engine }),
    factor: (work, attempt) => engine.deliver(work, attempt),
  };
  const outbox = options.outbox ?? doneAtOnce({ ...options, jobs, logger });
  const desk = createRecoveryDesk({
    ...core,
    standings,
    engine,
    audit,
    throttle,
    announcer: outbox,
    enqueue: (kind, job, unit) => outbox.enqueue(kind, job.accountId, job, { unit }),
    countAdministrators,
    suspensionHours,
    watcher: createChangeWatcher({ ...core, collection: 'recovery_requests' }),
  });
  const requestAccounts = createRequestAccounts(accounts, options.requests?.account);
  const composed = composeSecondFactor({
    ...core,
    onceWritten: options.requests?.onceWritten ?? ((work) => work()),
    lookAgain: options.requests?.lookAgain ?? (() => {}),
    issuer,
    provider,
    accounts,
    requestAccounts,
    rules: { ...rulesOf(options.policy), ...(usualHours ? { usualHours } : {}) },
    sessionOverallSeconds,
    engine,
    standings,
    sessions,
    links,
    notifier,
    audit,
    throttle,
    desk,
    web,
  });
  const visitors = createVisitors({
    ...core,
    issuer,
    provider,
    accounts,
    standings,
    sessions,
    engine,
    sessionOverallSeconds,
  });
  const { enrolmentPage, enrolmentCookie, interactions, applicationOf } = composed;

  return {
    policy: composed.policy,
    interactionUrl: composed.interactionUrl,
    afterPassword: composed.afterPassword,
    guard: composed.guard,
    services: {
      web,
      engine,
      audit,
      throttle,
      links,
      standings,
      sessions,
      secretBox,
      visitors,
      interactions,
      enrolmentCookie,
      requestAccounts,
      applicationOf,
      desk,
      recoveryCookie: composed.recoveryCookie,
      jobs,
    },
    middleware(oidcProvider) {
      bound = oidcProvider;
      const around = composed.middleware(oidcProvider);
      const { pages, presenter, url } = web;
      const shared = { pages, presenter, url, provider, audit, clock, engine, sessions, links, accounts };
      const { passwords } = options;
      mountSecurityPage({
        ...shared,
        visitors,
        enrolmentPage,
        streams: web.streams,
        ...(passwords ? { passwordChangedAt: passwords.changedAt } : {}),
      });
      mountCallbacks({ pages, engine, issuer, logger });
      mountApis({ pages, streams: web.streams, engine, issuer });
      mountSites({ ...web, engine });
      mountLinkPages({
        ...shared,
        enrolmentCookie,
        desk,
        ...(passwords ? { markPasswordCompromised: passwords.markCompromised } : {}),
      });
      if (isHosted) return around;
      const ours = inFront([...web.front, web.pages.routes()] as Step[]);
      const theirs = inFront([web.identify, around] as Step[]);
      return (ctx, next) => (web.isOwn(ctx.path) ? ours : theirs)(ctx, next);
    },
  };
}

type Step = (ctx: Context, next: Next) => Promise<void>;

/** Several middlewares as one. */
const inFront = (steps: readonly Step[]): Step =>
  steps.reduceRight<Step>(
    (inner, step) => (ctx, next) => step(ctx, () => inner(ctx, next)),
    (_ctx, next) => next(),
  );
