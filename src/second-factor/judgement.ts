import type { Context } from 'koa';
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account, Standing } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import { AppError } from '../errors.js';
import { type Engine, levelsOf } from '../factors/index.js';
import { type Actor, type EnrolmentCookie, levelOfSession, type RecoveryCookie } from '../interaction/index.js';
import { requestedAcr, resultOf, type SessionVerdict } from '../oidc/prompts/index.js';
import type { Clock } from '../platform/clock.js';
import { acceptsSuspension, type Decision, isAtLeast, type Level } from '../policy/index.js';
import { clientRules, judge, requestedLevels } from './judge.js';
import type { RequestAccounts } from './request-accounts.js';
import type { SecondFactorRules } from './rules.js';

/** The decision function asked on behalf of a request: by the pages, and by the checks of the interaction policy. */
export interface Judgement {
  ofActor(ctx: Context, actor: Actor, params: Readonly<Record<string, unknown>>): Promise<Decision>;
  /** After a right password: does the sign-in end with it? Which second step it will be is left to the page that shows it. */
  ofPassword(ctx: Context, actor: Actor, params: Readonly<Record<string, unknown>>): Promise<Decision>;
  ofSession(ctx: KoaContextWithOIDC): Promise<SessionVerdict>;
  /** Whether the session, of a password alone, began before the suspension that lets this browser in. */
  isBeforeSuspension(ctx: KoaContextWithOIDC): Promise<boolean>;
  /** May this browser set up the account's very first factor? */
  mayEnrolFirst(ctx: Context, account: Account): Promise<boolean>;
  /** May this browser set a factor up by an access pass, whatever else is set up? */
  mayEnrolByPass(ctx: Context, account: Account): Promise<boolean>;
  /** The suspension that runs for the account, and what lets this browser in. */
  suspensionFor(ctx: Context, account: Account): Promise<SuspensionHere | undefined>;
  /** Whether a sign-in under a suspension would be let in by this request. */
  acceptsSuspension(params: Readonly<Record<string, unknown>>): Promise<boolean>;
}

export interface SuspensionHere {
  id: string;
  from: Date;
  until: Date;
  /** Undefined: this browser needs an access code. */
  clearedBy?: 'request' | 'access_code' | 'password_alone';
}

interface Subject {
  account: Account;
  client: Client;
  params: Readonly<Record<string, unknown>>;
  sessionLevel: Level | undefined;
  provedInThisSignIn?: boolean;
  factorLevels(): Promise<Level[]>;
}

/** Without a second step, for better or worse. */
const ENDS_HERE: ReadonlySet<Decision['action']> = new Set(['deny', 'proceed', 'unmet']);

export function createJudgement(deps: {
  provider(): Provider;
  requestAccounts: RequestAccounts;
  standings: Standings;
  engine: Engine;
  enrolmentCookie: EnrolmentCookie;
  recoveryCookie: RecoveryCookie;
  clock: Clock;
  rules: SecondFactorRules;
}): Judgement {
  const { provider, requestAccounts, standings, engine, enrolmentCookie, recoveryCookie, clock, rules } = deps;
  const isPermitted = (ctx: Context, standing: Standing): boolean =>
    rules.firstEnrolment === 'password' || enrolmentCookie.isGranted(ctx, standing);

  const suspensionHere = (ctx: Context, standing: Standing): SuspensionHere | undefined => {
    const running = standings.runningSuspension(standing);
    if (!running) return undefined;
    const { id, from, until } = running;
    if (running.otherBrowsers === 'password_alone') return { id, from, until, clearedBy: 'password_alone' };
    const browser = recoveryCookie.hashOf(ctx);
    const clearedBy = running.clearedBrowsers.find(({ hash }) => hash === browser)?.by;
    return { id, from, until, ...(clearedBy ? { clearedBy } : {}) };
  };

  const decideFor = async (
    ctx: Context,
    { params, sessionLevel, ...subject }: Subject,
    isEnough?: (decision: Decision) => boolean,
  ): Promise<Decision> => {
    const standing = await standings.load(subject.account);
    const suspension = suspensionHere(ctx, standing);
    return judge(
      {
        ...subject,
        now: clock.now(),
        standing,
        requested: requestedAcr(params),
        firstEnrolmentPermitted: isPermitted(ctx, standing),
        ...(suspension
          ? { suspension: { until: suspension.until, browserCleared: suspension.clearedBy !== undefined } }
          : {}),
        ...(sessionLevel ? { sessionLevel } : {}),
      },
      rules,
      isEnough,
    );
  };

  const clientOf = async (params: Readonly<Record<string, unknown>>): Promise<Client> => {
    const client = await provider().Client.find(String(params.client_id));
    if (!client) throw new AppError('INTERACTION_ENDED', 'application is gone');
    return client;
  };

  const ofActor = async (
    ctx: Context,
    { account, sessionLevel, methods }: Actor,
    params: Readonly<Record<string, unknown>>,
    isEnough?: (decision: Decision) => boolean,
  ): Promise<Decision> => {
    const client = await clientOf(params);
    const factorLevels = async () => levelsOf(await methods());
    return decideFor(ctx, { account, client, params, sessionLevel, factorLevels }, isEnough);
  };

  return {
    ofActor: (ctx, actor, params) => ofActor(ctx, actor, params),
    ofPassword: (ctx, actor, params) => ofActor(ctx, actor, params, ({ action }) => !ENDS_HERE.has(action)),

    async ofSession(ctx) {
      const { session, client, params = {} } = ctx.oidc;
      const account = session?.accountId ? await requestAccounts.find(ctx, session.accountId) : undefined;
      if (!account || !client) return 'second_factor';
      const { action } = await decideFor(ctx as unknown as Context, {
        account,
        client,
        params,
        sessionLevel: levelOfSession(session?.acr),
        provedInThisSignIn: resultOf(ctx)?.second_factor !== undefined,
        factorLevels: () => engine.levels(account.id),
      });
      // A page says why, where there can be one: a suspension is no fault of the application or the person.
      const isExplained =
        action === 'unmet' &&
        !ctx.oidc.prompts.has('none') &&
        standings.runningSuspension(await standings.load(account)) !== undefined;
      if (action === 'proceed' || (action === 'unmet' && !isExplained)) return action;
      return 'second_factor';
    },

    async isBeforeSuspension(ctx) {
      const { session } = ctx.oidc;
      if (!session?.accountId || isAtLeast(levelOfSession(session.acr), '2fa')) return false;
      const account = await requestAccounts.find(ctx, session.accountId);
      const here = account && suspensionHere(ctx as unknown as Context, await standings.load(account));
      return here?.clearedBy !== undefined && (session.loginTs ?? 0) * 1000 < here.from.getTime();
    },

    acceptsSuspension: async (params) => {
      const client = await clientOf(params);
      const requested = requestedLevels(requestedAcr(params), rules.acrAliases);
      return acceptsSuspension({ client: clientRules(client, rules.acrAliases), ...(requested ? { requested } : {}) });
    },

    mayEnrolFirst: async (ctx, account) => isPermitted(ctx, await standings.load(account)),
    async mayEnrolByPass(ctx, account) {
      const standing = await standings.load(account);
      return standing.firstEnrolment?.isDespiteFactors === true && enrolmentCookie.isGranted(ctx, standing);
    },
    suspensionFor: async (ctx, account) => suspensionHere(ctx, await standings.load(account)),
  };
}
