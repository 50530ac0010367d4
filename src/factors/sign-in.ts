import { browserName } from '../platform/browser-name.js';
import type { Reservation } from '../throttle/contract.js';
import {
  ALL_METHODS,
  isGuessedOnPage,
  methodCounter,
  REFUSAL_EVENT,
  signInRules,
  throttleSubject,
} from './attempts.js';
import { CHALLENGE_TTL_SECONDS, Challenges, type StoredChallenge } from './challenges.js';
import type { Challenge, Factor, Outcome, Remember, SignInPlace } from './contract.js';
import type { Engine, EngineParts, Rejected, SignIn, SubmitResult } from './engine-contract.js';
import { acceptEvidence } from './evidence.js';
import { createGuessing } from './guessing.js';

/** Of a form that guesses nothing: whoever sends it wears nothing out, and writes nothing down. */
const NOT_COUNTED: Reservation = { reserved: true, counts: {} };

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
  const { clock, factors, logger, notifier, throttle } = parts;
  const challenges = new Challenges(parts);
  const guessing = createGuessing(parts);
  const { record } = guessing;

  const reject = async (
    signIn: SignIn,
    method: string,
    code: Rejected['code'],
    /** `isRecorded`: as counted ones are. */
    { failures, isRecorded = failures !== undefined }: { failures?: number; isRecorded?: boolean } = {},
  ): Promise<Rejected> => {
    logger.info(
      { accountId: signIn.account.id, method, reason: code, requestId: signIn.origin.requestId },
      'factor rejected',
    );
    if (isRecorded) await record('factor_rejected', signIn, { method, reason: code });
    return { status: 'rejected', code, ...(failures === undefined ? {} : { failures }) };
  };

  /** Where the engine remembers nothing there is nothing to find; whether it was answered before shows when the answer is taken. */
  const stored = async (key: Omit<Challenge, 'state'>): Promise<StoredChallenge> =>
    factors.get(key.method)?.memory ? { challenge: { ...key, state: {} }, isDone: false } : challenges.find(key);

  /** What waits for an answer, as the methods see it. */
  const find = async ({ cid, account, trialOf }: SignIn, method: string) => {
    const { challenge, ...rest } = await stored({ cid, accountId: account.id, method });
    return { ...rest, challenge: { ...challenge, ...(trialOf ? { trialOf } : {}) } };
  };

  const accept = async (
    signIn: SignIn,
    factor: Factor,
    outcome: Extract<Outcome, { status: 'verified' }>,
  ): Promise<SubmitResult> => {
    const { method } = factor;
    const { factorId, level, amr } = outcome;
    const verified = { status: 'verified', method, factorId, level, amr } as const;
    const subject = throttleSubject(signIn.account.id);
    if (signIn.trialOf) {
      if (isGuessedOnPage(factor)) await throttle.settle(subject, { release: [methodCounter(method), ALL_METHODS] });
      await record('factor_tried', signIn, { method, factorId });
      return verified;
    }
    if (isGuessedOnPage(factor))
      await throttle.settle(subject, { reset: [methodCounter(method)], release: [ALL_METHODS] });
    await record('factor_verified', signIn, { method, factorId, level });
    for (const { notice, params } of outcome.notices ?? [])
      await notifier.notify(signIn.account, notice, { at: clock.now().toISOString(), ...params });
    return verified;
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
      const { account } = signIn;
      const factor = factors.get(methodId);
      if (!factor || !account.active) return undefined;
      const usable = enrolled ?? (await parts.forSignIn(account.id));
      const own = usable.find(({ id }) => id === methodId);
      if (!own) return undefined;
      await cancelOthers(signIn, methodId, usable);
      const { challenge, isDone } = await find(signIn, methodId);
      const asked = isDone ? { ...challenge, isAnswered: true as const } : challenge;
      const step = await factor.begin(account, asked, placeOf(signIn), own.factors);
      if (step.state) await challenges.save(challenge, step.state);
      return step;
    },

    async send(signIn, methodId) {
      const { cid, account } = signIn;
      const factor = factors.get(methodId);
      if (!factor?.send || !account.active) return undefined;
      const key = { cid, accountId: account.id, method: methodId };
      const [{ challenge, isDone }, standing] = await Promise.all([
        find(signIn, methodId),
        throttle.peek(throttleSubject(account.id), signInRules(factor)),
      ]);
      if (isDone) return undefined;
      const { reserved, retryAt } = { retryAt: undefined, ...standing };
      // Whatever is sent, no answer to it is taken any more, or for as long as it is good.
      if (!reserved && !(retryAt && isGuessedOnPage(factor)))
        return { status: 'throttled', ...(retryAt ? { retryAt } : {}) };
      const details = { method: methodId };
      const remember: Remember = async (state, ttlSeconds) => {
        await Promise.all([
          factor.memory ? undefined : challenges.save(key, state, ttlSeconds),
          record('factor_sent', signIn, details),
        ]);
      };
      const outcome = await factor.send(account, challenge, placeOf(signIn), remember);
      if (!outcome) return undefined;
      if (outcome.status === 'refused') {
        if ((await throttle.reserve(throttleSubject(account.id), [REFUSAL_EVENT])).reserved)
          await record('factor_send_refused', signIn, { ...details, reason: outcome.reason });
        return outcome;
      }
      if (outcome.state) await remember(outcome.state, outcome.ttlSeconds ?? CHALLENGE_TTL_SECONDS);
      return { status: 'sent' };
    },

    async submit(signIn, methodId, submitted) {
      const { account } = signIn;
      const factor = factors.get(methodId);
      if (!account.active) return reject(signIn, methodId, 'account_unusable');
      if (!factor) return reject(signIn, methodId, 'not_enrolled');
      const evidence = acceptEvidence(submitted, factor.evidenceFields);
      if (!evidence) return reject(signIn, methodId, 'malformed');

      const subject = throttleSubject(account.id);
      const isGuess = isGuessedOnPage(factor);
      const reservation = isGuess ? await throttle.reserve(subject, signInRules(factor)) : NOT_COUNTED;
      if (!reservation.reserved) return guessing.refuse(signIn, methodId, reservation);

      const { challenge, revision, isDone } = await find(signIn, methodId);
      const outcome: Outcome = isDone
        ? { status: 'rejected', code: 'used' }
        : await factor.verify(account, challenge, evidence);

      if (outcome.status === 'pending') {
        if (isGuess) await throttle.settle(subject, { release: [methodCounter(methodId), ALL_METHODS] });
        return outcome;
      }
      // A trial may be repeated: it is worth nothing.
      const isTaken = signIn.trialOf !== undefined || factor.memory === 'own';
      if (outcome.status === 'verified' && (isTaken || (await challenges.claim(challenge, revision))))
        return accept(signIn, factor, outcome);

      const code = outcome.status === 'rejected' ? outcome.code : 'used';
      if (isGuess) await guessing.announceIfDisabled(signIn, methodId, reservation.counts);
      // Where the engine remembers nothing this is where it shows.
      const isAnswered =
        isDone ||
        (factor.memory === 'none' && outcome.status === 'verified') ||
        (factor.memory === 'own' && code === 'used' && !signIn.trialOf);
      const failures = reservation.counts[methodCounter(methodId)] ?? 1;
      // Only whoever was right before can have it answered twice.
      const rejected = await reject(signIn, methodId, code, isGuess ? { failures } : { isRecorded: isAnswered });
      return isAnswered ? { ...rejected, isAnswered: true } : rejected;
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
      const factor = factors.get(methodId);
      if (!factor) return undefined;
      const reservation = await throttle.peek(throttleSubject(accountId), signInRules(factor));
      if (reservation.reserved) return undefined;
      return { status: 'throttled', ...(reservation.retryAt ? { retryAt: reservation.retryAt } : {}) };
    },
  };
}
