import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountSource } from '../accounts/contract.js';
import { AppError } from '../errors.js';
import type { AccountMethod, Engine } from '../factors/index.js';
import { pendingFirstFactor } from '../oidc/prompts/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import { ACR, LEVELS, type Level } from '../policy/levels.js';
import type { SignInInteraction } from './interaction.js';

/** Who stands before the second-factor pages, and what they have proved so far. */
export interface Actor {
  account: Account;
  /** When they authenticated, seconds since the epoch: `auth_time` never moves in a step-up. */
  ts: number;
  amr: string[];
  /** The level of the live session; undefined while only the password is proved. */
  sessionLevel?: Level;
  /** What they can use; asked for once, however many parts of a page need it. */
  methods(): Promise<AccountMethod[]>;
}

export const methodsOf = (engine: Pick<Engine, 'forAccount'>, { id }: Account): Actor['methods'] => {
  let read: Promise<AccountMethod[]> | undefined;
  return () => {
    read ??= engine.forAccount(id);
    return read;
  };
};

export const levelOfSession = (acr: string | undefined): Level | undefined =>
  LEVELS.find((level) => ACR[level] === acr);

/**
 * The person of a `second_factor` interaction: half-way through a sign-in, or signed in and asked for more.
 * @throws AppError INTERACTION_ENDED when the password has become too old or the session is gone
 */
export async function actorOf(
  ctx: Context,
  interaction: SignInInteraction,
  deps: { provider: Provider; accounts: AccountSource; engine: Engine; clock: Clock },
): Promise<Actor> {
  const first = pendingFirstFactor(
    interaction.lastSubmission && { ...interaction.lastSubmission, ...interaction.result },
    epochSeconds(deps.clock),
  );
  if (first) {
    const account = await deps.accounts.find(first.accountId);
    if (!account) throw new AppError('INTERACTION_ENDED', 'account is gone');
    return { account, ts: first.ts, amr: first.amr, methods: methodsOf(deps.engine, account) };
  }
  const session = await deps.provider.Session.get(ctx as never);
  const account = session.accountId ? await deps.accounts.find(session.accountId) : undefined;
  if (!account || session.loginTs === undefined) throw new AppError('INTERACTION_ENDED', 'no password and no session');
  const sessionLevel = levelOfSession(session.acr);
  return {
    account,
    ts: session.loginTs,
    amr: session.amr ?? [],
    methods: methodsOf(deps.engine, account),
    ...(sessionLevel ? { sessionLevel } : {}),
  };
}
