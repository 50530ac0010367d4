import type { AuditEventType } from '../audit/contract.js';
import type { Reservation } from '../throttle/contract.js';
import { DISABLED_AFTER, methodCounter, REFUSAL_EVENT, signInRules, throttleSubject } from './attempts.js';
import type { FactorAccount, Guesses, Throttled } from './contract.js';
import type { EngineParts, SignIn } from './engine-contract.js';

type Guesser = Pick<SignIn, 'origin' | 'clientId'> & { account: FactorAccount };
type Parts = Pick<EngineParts, 'audit' | 'clock' | 'notifier' | 'throttle'>;

/** What every guess has in common, whichever way it comes in: refusals that are written down, and the end after too many. */
export function createGuessing({ audit, clock, notifier, throttle }: Parts) {
  const record = (
    type: AuditEventType,
    { account, origin, clientId }: Guesser,
    details: Record<string, string | number>,
  ) =>
    audit.record({
      type,
      accountId: account.id,
      actor: { type: 'account', id: account.id },
      ...(clientId ? { clientId } : {}),
      origin,
      details,
    });

  return {
    /** What the owner of the account did, or somebody in their place. */
    record,

    async refuse(
      guesser: Guesser,
      method: string,
      { retryAt, counter }: Extract<Reservation, { reserved: false }>,
    ): Promise<Throttled> {
      if ((await throttle.reserve(throttleSubject(guesser.account.id), [REFUSAL_EVENT])).reserved)
        await record('factor_throttled', guesser, { method, reason: retryAt ? 'wait' : 'disabled', counter });
      return { status: 'throttled', ...(retryAt ? { retryAt } : {}) };
    },

    /** The attempt that reaches the limit is one only, whatever runs beside it: it alone announces the end. */
    async announceIfDisabled(guesser: Guesser, method: string, counts: Record<string, number>): Promise<void> {
      if (counts[methodCounter(method)] !== DISABLED_AFTER) return;
      await record('factor_disabled', guesser, { method, failures: DISABLED_AFTER });
      await notifier.notify(guesser.account, 'factor_disabled', { method, at: clock.now().toISOString() });
    },
  };
}

/** Guesses of the clients of one method. */
export function createGuesses(parts: Parts, method: string): Guesses {
  const { throttle } = parts;
  const guessing = createGuessing(parts);
  const counter = methodCounter(method);
  const rules = signInRules({ method, evidenceFields: {} });

  return {
    async look(account, origin, work) {
      const subject = throttleSubject(account.id);
      const guesser = { account, origin };
      const reservation = await throttle.reserve(subject, rules);
      if (!reservation.reserved) return guessing.refuse(guesser, method, reservation);
      const { was, result, settlements = [] } = await work();
      if (was === 'right') await throttle.settleAll([{ subject, reset: [counter] }, ...settlements]);
      else if (was === 'no_guess') await throttle.settle(subject, { release: [counter] });
      else await guessing.announceIfDisabled(guesser, method, reservation.counts);
      return result;
    },

    async obstacle(accountId) {
      const standing = await throttle.peek(throttleSubject(accountId), rules);
      if (standing.reserved) return undefined;
      return { status: 'throttled', ...(standing.retryAt ? { retryAt: standing.retryAt } : {}) };
    },
  };
}
