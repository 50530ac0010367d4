import type { Context } from 'koa';
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Account, Standing } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import { AppError } from '../errors.js';
import { type Engine, levelsOf } from '../factors/index.js';
import { type Actor, type EnrolmentCookie, levelOfSession } from '../interaction/index.js';
import { requestedAcr, resultOf, type SessionVerdict } from '../oidc/prompts/index.js';
import type { Clock } from '../platform/clock.js';
import type { Decision, Level } from '../policy/index.js';
import { judge } from './judge.js';
import type { RequestAccounts } from './request-accounts.js';
import type { SecondFactorRules } from './rules.js';

/** The decision function asked on behalf of a request: by the pages, and by the checks of the interaction policy. */
export interface Judgement {
  ofActor(ctx: Context, actor: Actor, params: Readonly<Record<string, unknown>>): Promise<Decision>;
  ofSession(ctx: KoaContextWithOIDC): Promise<SessionVerdict>;
  /** May this browser set up the account's very first factor? */
  mayEnrolFirst(ctx: Context, account: Account): Promise<boolean>;
}

interface Subject {
  account: Account;
  client: Client;
  params: Readonly<Record<string, unknown>>;
  sessionLevel: Level | undefined;
  provedInThisSignIn?: boolean;
  factorLevels(): Promise<Level[]>;
}

export function createJudgement(deps: {
  provider(): Provider;
  requestAccounts: RequestAccounts;
  standings: Standings;
  engine: Engine;
  enrolmentCookie: EnrolmentCookie;
  clock: Clock;
  rules: SecondFactorRules;
}): Judgement {
  const { provider, requestAccounts, standings, engine, enrolmentCookie, clock, rules } = deps;
  const isPermitted = (ctx: Context, standing: Standing): boolean =>
    rules.firstEnrolment === 'password' || enrolmentCookie.isGranted(ctx, standing);

  const decideFor = async (ctx: Context, { params, sessionLevel, ...subject }: Subject): Promise<Decision> => {
    const standing = await standings.load(subject.account);
    return judge(
      {
        ...subject,
        now: clock.now(),
        standing,
        requested: requestedAcr(params),
        firstEnrolmentPermitted: isPermitted(ctx, standing),
        ...(sessionLevel ? { sessionLevel } : {}),
      },
      rules,
    );
  };

  return {
    async ofActor(ctx, actor, params) {
      const client = await provider().Client.find(String(params.client_id));
      if (!client) throw new AppError('INTERACTION_ENDED', 'application is gone');
      const { account, sessionLevel } = actor;
      const factorLevels = async () => levelsOf(await actor.methods());
      return decideFor(ctx, { account, client, params, sessionLevel, factorLevels });
    },

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
      if (action === 'proceed' || action === 'unmet') return action;
      return 'second_factor';
    },

    mayEnrolFirst: async (ctx, account) => isPermitted(ctx, await standings.load(account)),
  };
}
