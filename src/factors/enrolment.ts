import type { AuditEventType, RequestOrigin } from '../audit/contract.js';
import { enrolmentCounter, enrolmentRules, methodCounter, REFUSAL_EVENT, throttleSubject } from './attempts.js';
import type { Factor } from './contract.js';
import type { Engine, EngineAccount, EngineParts, Rejected } from './engine-contract.js';
import { acceptEvidence } from './evidence.js';
import { factorCollection } from './store.js';

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

  const isRoomFor = async (accountId: string, factor: Factor) => {
    const enrolled = await parts.forSignIn(accountId);
    if (factor.kind !== 'primary' && !enrolled.some(({ kind }) => kind === 'primary')) return false;
    const own = enrolled.find(({ id }) => id === factor.method)?.factors.length ?? 0;
    return factor.maximumPerAccount === undefined || own < factor.maximumPerAccount;
  };

  return {
    async beginEnrolment(account, methodId, origin) {
      const factor = factors.get(methodId);
      if (!factor || !account.active || !(await isRoomFor(account.id, factor))) return undefined;
      const { browser = '', ip } = origin;
      const isResumed = await isPending(account.id, methodId, browser);
      const step = await factor.enrolment.begin({ ...account, browser, ...(ip ? { ip } : {}) });
      if (!isResumed) await record('factor_enrolment_begun', account, origin, { method: methodId });
      return step;
    },

    async confirmEnrolment(account, methodId, submitted, origin) {
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
      if (!factor || !(await isRoomFor(account.id, factor))) return reject('not_enrolled', false);
      const evidence = acceptEvidence(submitted, factor.enrolmentFields);
      if (!evidence) return reject('malformed', false);

      const subject = throttleSubject(account.id);
      const reservation = await throttle.reserve(subject, enrolmentRules(methodId));
      if (!reservation.reserved) {
        if ((await throttle.reserve(subject, [REFUSAL_EVENT])).reserved)
          await record('factor_throttled', account, origin, { method: methodId, reason: 'wait', during: 'enrolment' });
        return { status: 'throttled', ...(reservation.retryAt ? { retryAt: reservation.retryAt } : {}) };
      }

      const { browser = '', ip } = origin;
      const enrollee = { ...account, browser, ...(ip ? { ip } : {}) };
      const outcome = await factor.enrolment.confirm(enrollee, evidence);
      if (outcome.status === 'rejected') return reject(outcome.code, true);
      if (outcome.status !== 'enrolled') {
        await throttle.settle(subject, { release: [enrolmentCounter(methodId)] });
        return outcome;
      }

      const { announcedAs } = factor.enrolment;
      const { factorId, label } = outcome;
      const broughtAlong = await collection.distinct('method', {
        accountId: account.id,
        'companionOf.id': factorId,
      });
      // A method that was disabled by failures starts anew with what was just proved.
      const anew = [methodId, ...broughtAlong].map(methodCounter);
      await throttle.settle(subject, { reset: [enrolmentCounter(methodId), ...anew] });
      await record(announcedAs, account, origin, { method: methodId, factorId, label });
      await notifier.notify(account, announcedAs, { method: methodId, label, at: clock.now().toISOString() });
      return { ...outcome, method: methodId };
    },
  };
}
