import type { AuditEventType } from '../audit/contract.js';
import { browserName } from '../platform/browser-name.js';
import type { Reservation } from '../throttle/contract.js';
import { ALL_METHODS, DISABLED_AFTER, methodCounter, REFUSAL_EVENT, signInRules, throttleSubject } from './attempts.js';
import { CHALLENGE_TTL_SECONDS, Challenges } from './challenges.js';
import type { Factor, Outcome, Remember, SignInPlace } from './contract.js';
import type { Engine, EngineParts, Rejected, SignIn, SubmitResult } from './engine-contract.js';
import { acceptEvidence } from './evidence.js';

/** What a person can recognise of a sign-in. */
function placeOf({ application, origin }: SignIn): SignInPlace {
  const browser = browserName(origin.userAgent);
  return {
    ...(application ? { application } : {}),
    ...(browser ? { browser } : {}),
    ...(origin.ip ? { ip: origin.ip } : {}),
  };
}

/** Asking for a factor and checking the answer. The order of `submit` is the same for every method. */
export function createSignIn(
  parts: EngineParts & Pick<Engine, 'forSignIn'>,
): Pick<Engine, 'begin' | 'send' | 'submit' | 'cancel' | 'unusable' | 'obstacle'> {
  const { audit, clock, factors, logger, notifier, throttle } = parts;
  const challenges = new Challenges(parts);

  const record = (
    type: AuditEventType,
    { account, origin, clientId }: SignIn,
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

  const reject = async (
    signIn: SignIn,
    method: string,
    code: Rejected['code'],
    failures?: number,
  ): Promise<Rejected> => {
    logger.info(
      { accountId: signIn.account.id, method, reason: code, requestId: signIn.origin.requestId },
      'factor rejected',
    );
    if (failures === undefined) return { status: 'rejected', code };
    await record('factor_rejected', signIn, { method, reason: code });
    return { status: 'rejected', code, failures };
  };

  const refuse = async (
    signIn: SignIn,
    method: string,
    refused: Extract<Reservation, { reserved: false }>,
  ): Promise<SubmitResult> => {
    if ((await throttle.reserve(throttleSubject(signIn.account.id), [REFUSAL_EVENT])).reserved) {
      await record('factor_throttled', signIn, {
        method,
        reason: refused.retryAt ? 'wait' : 'disabled',
        counter: refused.counter,
      });
    }
    return { status: 'throttled', ...(refused.retryAt ? { retryAt: refused.retryAt } : {}) };
  };

  /** The attempt that reaches the limit is one only, whatever runs beside it: it alone announces the end. */
  const announceIfDisabled = async (signIn: SignIn, method: string, counts: Record<string, number>) => {
    if (counts[methodCounter(method)] !== DISABLED_AFTER) return;
    await record('factor_disabled', signIn, { method, failures: DISABLED_AFTER });
    await notifier.notify(signIn.account, 'factor_disabled', { method, at: clock.now().toISOString() });
  };

  const accept = async (
    signIn: SignIn,
    factor: Factor,
    outcome: Extract<Outcome, { status: 'verified' }>,
  ): Promise<SubmitResult> => {
    const { method } = factor;
    const { factorId, level, amr } = outcome;
    await throttle.settle(throttleSubject(signIn.account.id), {
      reset: [methodCounter(method)],
      release: [ALL_METHODS],
    });
    await record('factor_verified', signIn, { method, factorId, level });
    for (const { notice, params } of outcome.notices ?? [])
      await notifier.notify(signIn.account, notice, { at: clock.now().toISOString(), ...params });
    return { status: 'verified', method, factorId, level, amr };
  };

  const unusable: Engine['unusable'] = async (accountId, { id, factors: own }) => {
    const now = clock.now();
    const [earliest] = own
      .map(({ usableFrom }) => usableFrom ?? now)
      .sort((one, other) => one.getTime() - other.getTime());
    if (earliest && earliest > now) return { status: 'unusable', reason: 'new', retryAt: earliest };
    const obstacle = await factors.get(id)?.obstacle?.(accountId);
    return obstacle && { status: 'unusable', ...obstacle };
  };

  /** What other methods asked for on another device, in this sign-in. */
  const cancelOthers = async ({ cid, account }: SignIn, chosen: string, usable: readonly { id: string }[]) => {
    for (const { id } of usable) if (id !== chosen) await factors.get(id)?.cancel?.(account.id, cid);
  };

  return {
    async begin(signIn, methodId, enrolled) {
      const { cid, account } = signIn;
      const factor = factors.get(methodId);
      if (!factor || !account.active) return undefined;
      const usable = enrolled ?? (await parts.forSignIn(account.id));
      if (!usable.some(({ id }) => id === methodId)) return undefined;
      await cancelOthers(signIn, methodId, usable);
      const { challenge, isDone } = await challenges.find({ cid, accountId: account.id, method: methodId });
      const asked = isDone ? { ...challenge, isAnswered: true as const } : challenge;
      const step = await factor.begin(account, asked, placeOf(signIn));
      if (step.state) await challenges.save(challenge, step.state);
      return step;
    },

    async send(signIn, methodId) {
      const { cid, account } = signIn;
      const factor = factors.get(methodId);
      if (!factor?.send || !account.active) return undefined;
      const key = { cid, accountId: account.id, method: methodId };
      const [{ challenge, isDone }, standing] = await Promise.all([
        challenges.find(key),
        throttle.peek(throttleSubject(account.id), signInRules(methodId)),
      ]);
      if (isDone) return undefined;
      // Whatever is sent, no answer to it is taken any more.
      if (!standing.reserved && !standing.retryAt) return { status: 'throttled' };
      const details = { method: methodId };
      const remember: Remember = async (state, ttlSeconds) => {
        await Promise.all([challenges.save(key, state, ttlSeconds), record('factor_sent', signIn, details)]);
      };
      const outcome = await factor.send(account, challenge, placeOf(signIn), remember);
      if (outcome.status === 'refused') {
        if ((await throttle.reserve(throttleSubject(account.id), [REFUSAL_EVENT])).reserved)
          await record('factor_send_refused', signIn, { ...details, reason: outcome.reason });
        return outcome;
      }
      if (outcome.state) await remember(outcome.state, outcome.ttlSeconds ?? CHALLENGE_TTL_SECONDS);
      return { status: 'sent' };
    },

    async submit(signIn, methodId, submitted) {
      const { cid, account } = signIn;
      const factor = factors.get(methodId);
      if (!account.active) return reject(signIn, methodId, 'account_unusable');
      if (!factor) return reject(signIn, methodId, 'not_enrolled');
      const evidence = acceptEvidence(submitted, factor.evidenceFields);
      if (!evidence) return reject(signIn, methodId, 'malformed');

      const subject = throttleSubject(account.id);
      const reservation = await throttle.reserve(subject, signInRules(methodId));
      if (!reservation.reserved) return refuse(signIn, methodId, reservation);

      const { challenge, revision, isDone } = await challenges.find({ cid, accountId: account.id, method: methodId });
      const outcome: Outcome = isDone
        ? { status: 'rejected', code: 'used' }
        : await factor.verify(account, challenge, evidence);

      if (outcome.status === 'pending') {
        await throttle.settle(subject, { release: [methodCounter(methodId), ALL_METHODS] });
        return outcome;
      }
      if (outcome.status === 'verified' && (await challenges.claim(challenge, revision)))
        return accept(signIn, factor, outcome);

      if (outcome.status === 'rejected' && outcome.isNoGuess) {
        await throttle.settle(subject, { release: [methodCounter(methodId), ALL_METHODS] });
        return reject(signIn, methodId, outcome.code);
      }
      await announceIfDisabled(signIn, methodId, reservation.counts);
      const code = outcome.status === 'rejected' ? outcome.code : 'used';
      const rejected = await reject(signIn, methodId, code, reservation.counts[methodCounter(methodId)] ?? 1);
      return isDone ? { ...rejected, isAnswered: true } : rejected;
    },

    async cancel(accountId, cid) {
      await challenges.cancel(accountId, cid === undefined ? undefined : { cid, methods: [...factors.keys()] });
      for (const factor of factors.values()) await factor.cancel?.(accountId, cid);
    },

    unusable,

    async obstacle(accountId, method) {
      const { id: methodId } = method;
      const reason = await unusable(accountId, method);
      if (reason) return reason;
      const reservation = await throttle.peek(throttleSubject(accountId), signInRules(methodId));
      if (reservation.reserved) return undefined;
      return { status: 'throttled', ...(reservation.retryAt ? { retryAt: reservation.retryAt } : {}) };
    },
  };
}
