import type { Context } from 'koa';
import type { Standing } from '../accounts/contract.js';
import { originOf } from '../http/index.js';
import { type Clock, inSeconds } from '../platform/clock.js';
import { isAtLeast } from '../policy/levels.js';
import { REQUEST_SECONDS } from '../recovery-desk/contract.js';
import type { SuspensionHere } from '../second-factor/judgement.js';
import type { Actor } from './actor.js';
import type { HostedPages } from './hosted-pages.js';
import type { OpenStep } from './open-step.js';

/** Whether there can be an open request at all: spares every other sign-in the question. */
export const mayHaveOpenRequest = ({ requestedAt }: Standing, clock: Clock): boolean =>
  requestedAt !== undefined && inSeconds(requestedAt, REQUEST_SECONDS) > clock.now();

/** A suspension lends nothing to a session of a password alone that is older: the password comes first, in the same sign-in. */
export const isOlderThan = ({ from }: SuspensionHere, { sessionLevel, ts }: Actor): boolean =>
  sessionLevel !== undefined && !isAtLeast(sessionLevel, '2fa') && ts * 1000 < from.getTime();

/**
 * A factor was proved or set up: whatever stood in for it, a suspension or a request for one, is over. The session that
 * is being raised goes on, every other one that the suspension let in ends.
 */
export async function endStandIns(
  deps: Pick<HostedPages, 'standings' | 'desk' | 'clock'>,
  ctx: Context,
  { interaction, actor }: OpenStep,
  how: 'set_up' | 'factor_proved',
): Promise<void> {
  const standing = await deps.standings.load(actor.account);
  if (!deps.standings.runningSuspension(standing) && !mayHaveOpenRequest(standing, deps.clock)) return;
  const { session } = interaction;
  const kept = session?.accountId === actor.account.id ? session.uid : undefined;
  await deps.desk.factorProved(actor.account.id, how, originOf(ctx), kept);
}
