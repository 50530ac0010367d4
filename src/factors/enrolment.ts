import type { AuditEventType, RequestOrigin } from '../audit/contract.js';
import { enrolmentCounter, enrolmentRules, methodCounter, REFUSAL_EVENT, throttleSubject } from './attempts.js';
import type { Enrollee, Factor } from './contract.js';
import type { Engine, EngineAccount, EngineParts, Rejected } from './engine-contract.js';
import { acceptEvidence } from './evidence.js';
import { factorCollection, NO_COMPANION } from './store.js';

/** Setting a factor up: pending until its first proof. Who may do so is the caller's to decide. */
export function createEnrolment(
  parts: EngineParts & Pick<Engine, 'forSignIn'>,
): Pick<Engine, 'beginEnrolment' | 'confirmEnrolment'> {
  const { audit, clock, database, factors, logger, notifier, throttle } = parts;
  const collection = factorCollection(database);

  const record = (
    type: AuditEventType,
    account: EngineAccount,
    origin: RequestOrigin,
    details: Record<string, string>,
  ) => audit.record({ type, accountId: account.id, actor: { type: 'account', id: account.id }, origin, details });

  const isPending = async (accountId: string, method: string, browser: string) =>
    (await collection.countDocuments(
      { accountId, method, browser, state: 'pending', expiresAt: { $gt: clock.now() } },
      { limit: 1 },
    )) === 1;

  /** Where a new one can come: beside the others, or in the place of one of them. Undefined: nowhere. */
  const roomFor = async (
    accountId: string,
    factor: Factor,
    replaces: string | undefined,
  ): Promise<{ old?: { id: string; label: string } } | undefined> => {
    const { method, kind, maximumPerAccount: maximum } = factor;
    const enrolled = await parts.forSignIn(accountId);
    if (kind !== 'primary' && !enrolled.some((other) => other.kind === 'primary')) return undefined;
    if (replaces !== undefined) {
      const one = { _id: replaces, accountId, method, state: 'active' as const, ...NO_COMPANION };
      const old = maximum === undefined ? null : await collection.findOne(one, { projection: { label: 1 } });
      return old ? { old: { id: old._id, label: old.label } } : undefined;
    }
    const own = enrolled.find(({ id }) => id === method)?.factors.length ?? 0;
    return maximum === undefined || own < maximum ? {} : undefined;
  };

  const enrolleeOf = (account: EngineAccount, { browser = '', ip }: RequestOrigin, old?: { id: string }): Enrollee => ({
    ...account,
    browser,
    ...(ip ? { ip } : {}),
    ...(old ? { replaces: { id: old.id } } : {}),
  });

  return {
    async beginEnrolment(account, methodId, origin, replaces) {
      const factor = factors.get(methodId);
      const room = factor && account.active ? await roomFor(account.id, factor, replaces) : undefined;
      if (!factor || !room) return undefined;
      const isResumed = await isPending(account.id, methodId, origin.browser ?? '');
      const step = await factor.enrolment.begin(enrolleeOf(account, origin, room.old));
      if (!isResumed) await record('factor_enrolment_begun', account, origin, { method: methodId });
      return room.old ? { ...step, locals: { ...step.locals, inPlaceOf: room.old.label } } : step;
    },

    async confirmEnrolment(account, methodId, submitted, origin, replaces) {
      const reject = async (code: Rejected['code'], isCounted: boolean): Promise<Rejected> => {
        const { requestId } = origin;
        logger.info({ accountId: account.id, method: methodId, reason: code, requestId }, 'enrolment rejected');
        if (isCounted)
          await record('factor_rejected', account, origin, { method: methodId, reason: code, during: 'enrolment' });
        return { status: 'rejected', code };
      };
      const factor = factors.get(methodId);
      if (!account.active) return reject('account_unusable', false);
      // Asked again: a form needs no page that was opened before, and what it stands beside may be gone meanwhile.
      const room = factor && (await roomFor(account.id, factor, replaces));
      if (!factor || !room) return reject('not_enrolled', false);
      const evidence = acceptEvidence(submitted, factor.enrolmentFields);
      if (!evidence) return reject('malformed', false);

      const subject = throttleSubject(account.id);
      const reservation = await throttle.reserve(subject, enrolmentRules(methodId));
      if (!reservation.reserved) {
        if ((await throttle.reserve(subject, [REFUSAL_EVENT])).reserved)
          await record('factor_throttled', account, origin, { method: methodId, reason: 'wait', during: 'enrolment' });
        return { status: 'throttled', ...(reservation.retryAt ? { retryAt: reservation.retryAt } : {}) };
      }

      const { old } = room;
      const outcome = await factor.enrolment.confirm(enrolleeOf(account, origin, old), evidence);
      if (outcome.status === 'rejected') return reject(outcome.code, true);
      if (outcome.status !== 'enrolled') {
        await throttle.settle(subject, { release: [enrolmentCounter(methodId)] });
        return outcome;
      }

      const announcedAs = old ? 'factor_replaced' : factor.enrolment.announcedAs;
      const { factorId, label } = outcome;
      const broughtAlong = await collection.distinct('method', {
        accountId: account.id,
        'companionOf.id': factorId,
      });
      // A method that was disabled by failures starts anew with what was just proved.
      const anew = [methodId, ...broughtAlong].map(methodCounter);
      await throttle.settle(subject, { reset: [enrolmentCounter(methodId), ...anew] });
      const told = { method: methodId, label, ...(old ? { replaced: old.label } : {}) };
      await record(announcedAs, account, origin, { ...told, factorId, ...(old ? { replacedId: old.id } : {}) });
      await notifier.notify(account, announcedAs, { ...told, at: clock.now().toISOString() });
      return { ...outcome, method: methodId };
    },
  };
}
