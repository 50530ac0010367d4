import type { FactorAccount, FactorDeps } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import type { Answering, ChallengeDocument, Challenges } from './challenges.js';

export type NotMe = (
  account: FactorAccount,
  answering: Answering,
  challenge: Pick<ChallengeDocument, 'details'>,
  origin: { requestId: string; ip?: string },
  unit: Unit,
) => Promise<boolean>;

/**
 * "It wasn't me": ends the sign-in with whatever else waits for an answer of this account, and in the same unit writes it down and tells
 * the person and the administrators. What was shown of the sign-in goes into the audit: whoever made it knows the password. False: not possible, or not any more.
 */
export function createNotMe(
  { announcer, audit, clock }: Pick<FactorDeps, 'announcer' | 'audit' | 'clock'>,
  { challenges }: { challenges: Challenges },
): NotMe {
  return async ({ id: accountId }, answering, { details }, origin, unit) => {
    if (!(await challenges.deny(answering, unit))) return false;
    await challenges.cancel(accountId, undefined, unit);
    await audit.record(
      {
        type: 'sign_in_denied',
        accountId,
        actor: { type: 'account', id: accountId },
        origin,
        details: { method: 'app', factorId: answering.factorId, ...shownOf(details) },
      },
      unit,
    );
    const at = clock.now().toISOString();
    await announcer.announce({ type: 'sign_in_denied', accountId, at, facts: { method: 'app' } }, unit);
    return true;
  };
}

/** The sign-in that was disowned, under names that say whose they are. */
function shownOf(details: string): Record<string, string> {
  const { application, browser, ip, at } = JSON.parse(details) as Record<string, string | undefined>;
  return {
    ...(application ? { application } : {}),
    ...(browser ? { signInBrowser: browser } : {}),
    ...(ip ? { signInIp: ip } : {}),
    ...(at ? { signInAt: at } : {}),
  };
}
