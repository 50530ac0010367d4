import type { Context, Next } from 'koa';
import type { FindAccount, interactionPolicy, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account, AccountSource } from '../accounts/contract.js';
import type { OneTimeLinks, Standings } from '../accounts/index.js';
import type { Audit } from '../audit/contract.js';
import { AppError } from '../errors.js';
import type { Engine } from '../factors/index.js';
import type { Web } from '../http/index.js';
import type { HostedPages } from '../interaction/index.js';
import {
  type Actor,
  createEnrolmentCookie,
  createEnrolmentPage,
  createInteractions,
  createRecoveryCookie,
  createStartedSignIns,
  type EnrolmentCookie,
  type EnrolmentPage,
  type Interactions,
  levelOfSession,
  methodsOf,
  mountRecoveryPages,
  mountSecondFactor,
  mountSetUp,
  PROMPT_PATHS,
  type PromptName,
  type RecoveryCookie,
  UNMET,
} from '../interaction/index.js';
import type { Notifier } from '../notifications/contract.js';
import { requestedAcr, type SignInResult, secondFactorPolicy } from '../oidc/prompts/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import { calendarDay, type Decision, satisfiedAcr, setUpState } from '../policy/index.js';
import { ACR, highest, type Level } from '../policy/levels.js';
import type { RecoveryDesk } from '../recovery-desk/contract.js';
import type { Sessions } from '../sessions/index.js';
import type { Throttle, ThrottleRule } from '../throttle/contract.js';
import { createJudgement } from './judgement.js';
import type { RequestAccounts } from './request-accounts.js';
import type { SecondFactorRules } from './rules.js';
import { createSignInRecord } from './sign-in-record.js';

const CONFIRMATION_LINK_SECONDS = 3600;
/** Whoever knows the password can cause them. */
const CONFIRMATION_MAILS: ThrottleRule = { counter: 'confirmation-mail', limit: 3, windowSeconds: 3600 };

/** The services a second factor is made of. */
export interface SecondFactorServices {
  issuer: string;
  /** The provider, once it is bound. */
  provider(): Provider;
  accounts: AccountSource;
  requestAccounts: RequestAccounts;
  rules: SecondFactorRules;
  /** Longest life of a session, whatever is done in it. */
  sessionOverallSeconds: number;
  engine: Engine;
  standings: Standings;
  sessions: Sessions;
  links: OneTimeLinks;
  notifier: Notifier;
  audit: Audit;
  throttle: Throttle;
  desk: RecoveryDesk;
  web: Web;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  /** Does what follows from an answer of the provider once that is written; what the provider says of itself comes before. */
  onceWritten(work: () => Promise<void>): Promise<void>;
  /** Forgets what the provider's adapter has read for this request. */
  lookAgain(): void;
}

/** What an interaction's address is made of. */
export interface InteractionOfPrompt {
  uid: string;
  prompt: { name: string };
  params: Record<string, unknown>;
}

/**
 * To be called when a host's own login prompt has seen the right password.
 * @param ts when that was, seconds since the epoch; by default now.
 */
export type AfterPassword = (ctx: Context, accountId: string, amr: string[], ts?: number) => Promise<void>;

export interface SecondFactorCore {
  /** The base policy with our prompt and checks in it: `interactions.policy` of the provider. */
  policy(base: interactionPolicy.DefaultPolicy): interactionPolicy.DefaultPolicy;
  /** Where the pages of an interaction are: `interactions.url` of the provider. */
  interactionUrl(ctx: Context, interaction: InteractionOfPrompt): string;
  /** Ends the host's login page: asks for the second factor, or signs in where none is needed. */
  afterPassword: AfterPassword;
  /** The host's `findAccount` with our refusals: deactivated, signed out everywhere, session ended. */
  guard(findAccount: FindAccount): FindAccount;
  /** Binds the provider and mounts the pages. The middleware goes around the provider. */
  middleware(provider: Provider): (ctx: Context, next: Next) => Promise<void>;
  /** For the account pages: the parts they share with the sign-in. */
  readonly interactions: Interactions;
  readonly enrolmentPage: EnrolmentPage;
  readonly enrolmentCookie: EnrolmentCookie;
  readonly recoveryCookie: RecoveryCookie;
  /** Names the application of a sign-in that is over, for error pages. */
  applicationOf(ctx: Context): Promise<void>;
}

/** What codes and tokens of the provider say about the sign-in they come from. */
interface TokenSource {
  iat?: number;
  authTime?: number;
  sessionUid?: string;
  acr?: string;
  amr?: string[];
  extra?: { acr?: string; amr?: string[]; auth_time?: number };
}

/** `acr` may be any name that the application asked for, or less than was proved; `amr` says what was done. */
const provedBy = ({ acr, amr }: { acr?: string; amr?: string[] } = {}): Level =>
  highest(levelOfSession(acr), amr?.includes('mfa') ? '2fa' : undefined);

/** The policy, the hooks and the sign-in's pages over the services. */
export function composeSecondFactor(options: SecondFactorServices): SecondFactorCore {
  const { accounts, requestAccounts, engine, standings, rules, clock, random, web, audit, provider } = options;
  const started = createStartedSignIns(web.cookies);
  const enrolmentCookie = createEnrolmentCookie({ ...options, cookies: web.cookies });
  const enrolmentPage = createEnrolmentPage({ engine, presenter: web.presenter });
  const interactions = createInteractions({ ...web, provider, started, lookAgain: options.lookAgain });

  const recoveryCookie = createRecoveryCookie({ ...options, cookies: web.cookies });
  const judgement = createJudgement({ ...options, enrolmentCookie, recoveryCookie });
  const record = createSignInRecord(options);

  const passwordOnly = async (ctx: Context, account: Account, ts: number, amr: string[]): Promise<SignInResult> => {
    const here = await judgement.suspensionFor(ctx, account);
    // A password typed before the suspension is let in by it all the same: the sign-in counts from its beginning.
    const since = here ? standings.signInTime(await standings.load(account)) : ts;
    return {
      login: { accountId: account.id, ts: here ? Math.max(ts, since) : ts, acr: ACR['1fa'], amr },
      proof: { id: random.token(96), ts: epochSeconds(clock) },
      ...(here?.clearedBy ? { suspension: { id: here.id, clearedBy: here.clearedBy } } : {}),
    };
  };

  const afterPassword: AfterPassword = async (ctx, accountId, amr, typedAt) => {
    const interaction = await interactions.current(ctx);
    const account = await requestAccounts.find(ctx, accountId);
    if (!account) throw new AppError('ACCOUNT_UNUSABLE', 'account is gone');
    const ts = typedAt ?? standings.signInTime(await standings.load(account));
    const actor: Actor = { account, ts, amr, methods: methodsOf(engine, account) };
    const decision = await judgement.ofPassword(ctx, actor, interaction.params);
    return interactions.startOver(ctx, interaction, await resultAfterPassword(ctx, decision, actor));
  };

  const resultAfterPassword = async (
    ctx: Context,
    decision: Decision,
    { account, ts, amr }: Actor,
  ): Promise<SignInResult> => {
    switch (decision.action) {
      case 'deny':
        throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
      case 'proceed':
        return passwordOnly(ctx, account, ts, amr);
      case 'unmet':
        // Under a suspension a page says why, and what can be done about it.
        return (await judgement.suspensionFor(ctx, account))
          ? { first_factor: { accountId: account.id, ts, amr } }
          : UNMET;
      default:
        return { first_factor: { accountId: account.id, ts, amr } };
    }
  };

  const mount = (): void => {
    const deps: HostedPages = {
      pages: web.pages,
      presenter: web.presenter,
      interactions,
      engine,
      enrolmentPage,
      accounts,
      readAccount: requestAccounts.find,
      standings,
      audit,
      clock,
      random,
      rules,
      provider,
      url: web.url,
      judge: judgement.ofActor,
      mayEnrolFirst: judgement.mayEnrolFirst,
      mayEnrolByPass: judgement.mayEnrolByPass,
      suspensionFor: judgement.suspensionFor,
      acceptsSuspension: judgement.acceptsSuspension,
      streams: web.streams,
      desk: options.desk,
      recoveryCookie,
      enrolmentCookie,
      today: () => calendarDay(clock.now(), rules.timeZone),
      setUpDeadline: async (account) =>
        setUpState(rules, await standings.load(account), account.groups, clock.now(), rules.timeZone).deadline,
      passwordOnly,
      async sendConfirmationLink(account) {
        if (!(await options.throttle.reserve(`account:${account.id}`, [CONFIRMATION_MAILS])).reserved) return;
        const token = await options.links.create('confirm_email', account.id, CONFIRMATION_LINK_SECONDS);
        await options.notifier.notify(account, 'confirm_email', { link: `${options.issuer}/confirm-email/${token}` });
      },
    };
    mountSecondFactor(deps);
    mountSetUp(deps);
    mountRecoveryPages(deps);
  };

  return {
    interactions,
    enrolmentPage,
    enrolmentCookie,
    recoveryCookie,
    afterPassword,

    async applicationOf(ctx) {
      await interactions.nameApplication(ctx, started.clientOf(ctx, ctx.path.split('/').at(-1)));
    },

    policy: (base) =>
      secondFactorPolicy(base, {
        clock,
        isTooOld: ({ oidc }) => epochSeconds(clock) - (oidc.session?.loginTs ?? 0) >= options.sessionOverallSeconds,
        isBeforeSuspension: judgement.isBeforeSuspension,
        judgeSession: judgement.ofSession,
      }),

    interactionUrl(ctx, { uid, prompt, params }) {
      started.remember(ctx, uid, String(params.client_id));
      return web.url(`/${PROMPT_PATHS[prompt.name as PromptName] ?? prompt.name}/${uid}`);
    },

    guard: (findAccount) => async (ctx, id, token) => {
      const source = token as TokenSource | undefined;
      const session = token ? undefined : ctx.oidc.session;
      const account = await requestAccounts.find(ctx, id);
      if (!account?.active) return undefined;
      const startedAt = source ? (source.authTime ?? source.extra?.auth_time ?? source.iat) : session?.loginTs;
      const uid = source ? source.sessionUid : session?.uid;
      const isVoid = standings.isSessionRevoked(await standings.load(account), {
        uid: uid ?? '',
        startedAt: startedAt === undefined ? clock.now() : new Date(startedAt * 1000),
        level: provedBy(source ? { ...source.extra, ...source } : session),
      });
      return isVoid ? undefined : findAccount(ctx, id, token);
    },

    middleware(oidcProvider) {
      mount();
      // The provider has no setter for it: what it returns as `acr` must be one of the requested values (Core 5.5.1.1).
      oidcProvider.on('authorization.accepted', ({ oidc }: KoaContextWithOIDC) => {
        const acr = satisfiedAcr(
          requestedAcr(oidc.params ?? {}).values,
          levelOfSession(oidc.session?.acr),
          rules.acrAliases,
        );
        if (acr) Object.defineProperty(oidc, 'acr', { value: acr });
      });
      return async (ctx, next) => {
        await next();
        await options.onceWritten(() => record.after(ctx as unknown as KoaContextWithOIDC));
      };
    },
  };
}
