import type { Context, Next } from 'koa';
import type { FindAccount, interactionPolicy, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { AccountSource, Standing } from '../accounts/contract.js';
import type { OneTimeLinks, Standings } from '../accounts/index.js';
import type { Audit } from '../audit/contract.js';
import { AppError } from '../errors.js';
import { type Engine, levelsOf } from '../factors/index.js';
import { originOf, type Web } from '../http/index.js';
import type { HostedPages } from '../interaction/index.js';
import {
  type Actor,
  createEnrolmentCookie,
  createEnrolmentPage,
  createInteractions,
  createStartedSignIns,
  type EnrolmentCookie,
  type EnrolmentPage,
  type Interactions,
  levelOfSession,
  methodsOf,
  mountSecondFactor,
  mountSetUp,
  PROMPT_PATHS,
  type PromptName,
} from '../interaction/index.js';
import type { Notifier } from '../notifications/contract.js';
import { requestedAcr, resultOf, type SignInResult, secondFactorPolicy } from '../oidc/prompts/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import { calendarDay, type Decision, satisfiedAcr, setUpState } from '../policy/index.js';
import { ACR } from '../policy/levels.js';
import type { Sessions } from '../sessions/index.js';
import type { Throttle, ThrottleRule } from '../throttle/contract.js';
import { judge } from './judge.js';
import type { RequestAccounts } from './request-accounts.js';
import type { SecondFactorRules } from './rules.js';

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
  web: Web;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
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
  /** Names the application of a sign-in that is over, for error pages. */
  applicationOf(ctx: Context): Promise<void>;
}

/** The policy, the hooks and the sign-in's pages over the services. */
export function composeSecondFactor(options: SecondFactorServices): SecondFactorCore {
  const { accounts, requestAccounts, engine, standings, sessions, rules, clock, random, web, audit, provider } =
    options;
  const started = createStartedSignIns(web.cookies);
  const enrolmentCookie = createEnrolmentCookie({ ...options, cookies: web.cookies });
  const enrolmentPage = createEnrolmentPage({ engine, presenter: web.presenter });
  const interactions = createInteractions({ provider, started, catalogue: web.catalogue });

  const judgeActor: HostedPages['judge'] = async (ctx, actor, params) => {
    const client = await provider().Client.find(String(params.client_id));
    if (!client) throw new AppError('INTERACTION_ENDED', 'application is gone');
    const now = clock.now();
    const standing = await standings.load(actor.account);
    return judge(
      {
        now,
        account: actor.account,
        standing,
        client,
        requested: requestedAcr(params),
        firstEnrolmentPermitted: mayEnrolFirst(ctx, standing),
        factorLevels: async () => levelsOf(await actor.methods()),
        ...(actor.sessionLevel ? { sessionLevel: actor.sessionLevel } : {}),
      },
      rules,
    );
  };

  const mayEnrolFirst = (ctx: Context, standing: Standing): boolean =>
    rules.firstEnrolment === 'password' || enrolmentCookie.isGranted(ctx, standing);

  const passwordOnly = (accountId: string, ts: number, amr: string[]): SignInResult => ({
    login: { accountId, ts, acr: ACR['1fa'], amr },
    proof: { id: random.token(96), ts: epochSeconds(clock) },
  });

  const afterPassword: AfterPassword = async (ctx, accountId, amr, ts = epochSeconds(clock)) => {
    const interaction = await interactions.current(ctx);
    const account = await requestAccounts.find(ctx, accountId);
    if (!account) throw new AppError('ACCOUNT_UNUSABLE', 'account is gone');
    const actor: Actor = { account, ts, amr, methods: methodsOf(engine, account) };
    const decision = await judgeActor(ctx, actor, interaction.params);
    return interactions.startOver(ctx, interaction, resultAfterPassword(decision, actor));
  };

  const resultAfterPassword = (decision: Decision, { account, ts, amr }: Actor): SignInResult => {
    switch (decision.action) {
      case 'deny':
        throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
      case 'proceed':
        return passwordOnly(account.id, ts, amr);
      case 'unmet':
        return {
          error: 'unmet_authentication_requirements',
          error_description: 'the requested level cannot be reached',
        };
      default:
        return { first_factor: { accountId: account.id, ts, amr } };
    }
  };

  /** After the provider: what was proved in an accepted sign-in is written down once, before the answer leaves. */
  const writeDown = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { oidc } = ctx;
    const result = oidc && resultOf(ctx);
    const { session, client } = oidc ?? {};
    if (!result?.login || !result.proof || !session?.accountId || !client || ctx.status >= 400) return;
    if (session.accountId !== result.login.accountId) return;
    const origin = originOf(ctx as unknown as Context);
    const { proof, login } = result;
    const isNew = await sessions.record({
      uid: session.uid,
      accountId: login.accountId,
      clientId: client.clientId,
      acr: login.acr,
      amr: login.amr,
      origin,
      proof: {
        id: proof.id,
        ...(proof.method ? { at: new Date(proof.ts * 1000), method: proof.method } : {}),
      },
    });
    if (!isNew) return;
    await audit.record({
      type: 'authn_login_success',
      accountId: login.accountId,
      actor: { type: 'account', id: login.accountId },
      clientId: client.clientId,
      sessionUid: session.uid,
      origin,
      details: {
        acr: login.acr,
        amr: login.amr,
        ...(proof.method ? { method: proof.method } : {}),
        ...(proof.factorId ? { factorId: proof.factorId } : {}),
        ...(client.clientName ? { application: client.clientName } : {}),
      },
    });
  };

  /** After the provider: a session that an application's logout has ended is none that the security page shows. */
  const noteSignOut = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const session = ctx.oidc?.session as { uid: string; accountId?: string; destroyed?: boolean } | undefined;
    if (ctx.oidc?.route !== 'end_session_confirm' || !session?.destroyed || !session.accountId) return;
    await sessions.signedOut(session.accountId, session.uid, originOf(ctx as unknown as Context));
  };

  const mount = (): void => {
    const deps: HostedPages = {
      pages: web.pages,
      presenter: web.presenter,
      interactions,
      engine,
      enrolmentPage,
      accounts,
      standings,
      audit,
      clock,
      random,
      rules,
      provider,
      url: web.url,
      judge: judgeActor,
      mayEnrolFirst: async (ctx, account) => mayEnrolFirst(ctx, await standings.load(account)),
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
  };

  return {
    interactions,
    enrolmentPage,
    enrolmentCookie,
    afterPassword,

    async applicationOf(ctx) {
      await interactions.nameApplication(ctx, started.clientOf(ctx, ctx.path.split('/').at(-1)));
    },

    policy: (base) =>
      secondFactorPolicy(base, {
        clock,
        isTooOld: ({ oidc }) => epochSeconds(clock) - (oidc.session?.loginTs ?? 0) >= options.sessionOverallSeconds,
        async judgeSession(ctx) {
          const { session, client, params } = ctx.oidc;
          const account = session?.accountId ? await requestAccounts.find(ctx, session.accountId) : undefined;
          if (!account || !client) return 'second_factor';
          const sessionLevel = levelOfSession(session?.acr);
          const standing = await standings.load(account);
          const now = clock.now();
          const decision = await judge(
            {
              now,
              account,
              standing,
              client,
              requested: requestedAcr(params ?? {}),
              firstEnrolmentPermitted: mayEnrolFirst(ctx as unknown as Context, standing),
              provedInThisSignIn: resultOf(ctx)?.second_factor !== undefined,
              factorLevels: () => engine.levels(account.id),
              ...(sessionLevel ? { sessionLevel } : {}),
            },
            rules,
          );
          if (decision.action === 'proceed') return 'proceed';
          return decision.action === 'unmet' ? 'unmet' : 'second_factor';
        },
      }),

    interactionUrl(ctx, { uid, prompt, params }) {
      started.remember(ctx, uid, String(params.client_id));
      return web.url(`/${PROMPT_PATHS[prompt.name as PromptName] ?? prompt.name}/${uid}`);
    },

    guard: (findAccount) => async (ctx, id, token) => {
      const source = token as { iat?: number; authTime?: number; sessionUid?: string } | undefined;
      const session = token ? undefined : ctx.oidc.session;
      const account = await requestAccounts.find(ctx, id);
      if (!account?.active) return undefined;
      const startedAt = source ? (source.authTime ?? source.iat) : session?.loginTs;
      const uid = source ? source.sessionUid : session?.uid;
      const isVoid = standings.isSessionRevoked(await standings.load(account), {
        uid: uid ?? '',
        startedAt: startedAt === undefined ? clock.now() : new Date(startedAt * 1000),
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
        await writeDown(ctx as unknown as KoaContextWithOIDC);
        await noteSignOut(ctx as unknown as KoaContextWithOIDC);
      };
    },
  };
}
