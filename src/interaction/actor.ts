import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import { AppError } from '../errors.js';
import type { AccountMethod, Engine } from '../factors/index.js';
import { pendingFirstFactor } from '../oidc/prompts/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import { ACR, highest, LEVELS, type Level } from '../policy/levels.js';
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

export const methodsOf = (engine: Pick<Engine, 'forSignIn'>, { id }: Account): Actor['methods'] => {
  let read: Promise<AccountMethod[]> | undefined;
  return () => {
    read ??= engine.forSignIn(id);
    return read;
  };
};

export const levelOfSession = (acr: string | undefined): Level | undefined =>
  LEVELS.find((level) => ACR[level] === acr);

/**
 * The person of a `second_factor` interaction: half-way through a sign-in, or signed in and asked for more.
 * @throws AppError INTERACTION_ENDED when the password has become too old, the session is gone or somebody else signed in; ACCOUNT_UNUSABLE
 */
export async function actorOf(
  ctx: Context,
  interaction: SignInInteraction,
  deps: {
    provider: Provider;
    readAccount(ctx: Context, id: string): Promise<Account | undefined>;
    standings: Standings;
    engine: Engine;
    clock: Clock;
  },
): Promise<Actor> {
  /** A password typed before "sign out everywhere" or a reset proves nothing any more, not even for the set-up. */
  const refuseVoid = async (account: Account, uid: string, ts: number, level?: Level): Promise<void> => {
    if (!account.active) throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
    const standing = await deps.standings.load(account);
    const startedAt = new Date(ts * 1000);
    if (deps.standings.isSessionRevoked(standing, { uid, startedAt, ...(level ? { level } : {}) }))
      throw new AppError('INTERACTION_ENDED', 'signed out meanwhile');
  };
  const first = pendingFirstFactor(
    interaction.lastSubmission && { ...interaction.lastSubmission, ...interaction.result },
    epochSeconds(deps.clock),
  );
  if (first) {
    // In another tab: to go on would end that person's session unasked.
    const other = interaction.session ? undefined : (await deps.provider.Session.get(ctx as never)).accountId;
    if (other && other !== first.accountId)
      throw new AppError('INTERACTION_ENDED', 'somebody else signed in meanwhile');
    const account = await deps.readAccount(ctx, first.accountId);
    if (!account) throw new AppError('INTERACTION_ENDED', 'account is gone');
    await refuseVoid(account, '', first.ts);
    return { account, ts: first.ts, amr: first.amr, methods: methodsOf(deps.engine, account) };
  }
  const session = await deps.provider.Session.get(ctx as never);
  const account = session.accountId ? await deps.readAccount(ctx, session.accountId) : undefined;
  if (!account || session.loginTs === undefined) throw new AppError('INTERACTION_ENDED', 'no password and no session');
  const sessionLevel = levelOfSession(session.acr);
  const { set_up: setUp } = { ...interaction.lastSubmission, ...interaction.result };
  // Set up a moment ago, which ended the suspension: the session is about to be raised.
  const proved = setUp?.accountId === account.id ? (setUp.level as Level) : undefined;
  await refuseVoid(account, session.uid, session.loginTs, highest(sessionLevel, proved));
  return {
    account,
    ts: session.loginTs,
    amr: session.amr ?? [],
    methods: methodsOf(deps.engine, account),
    ...(sessionLevel ? { sessionLevel } : {}),
  };
}
