import { z } from 'zod';
import type { ApiAnswer, FactorDeps } from '../../src/factors/contract.js';
import type { Answering, ChallengeDocument, Challenges } from './challenges.js';
import type { AppData } from './data.js';
import { type DeviceCall, type Endpoint, endpoint } from './device-api.js';
import { ok, problem, tooMany } from './envelope.js';
import { APPROVAL_TYP, verifyJws } from './jws.js';
import type { Limits } from './limits.js';
import type { NotMe } from './not-me.js';
import { isSame, sha256 } from './request-auth.js';

const JWS_LENGTH = 4_096;
/** When a phone that cannot listen now may try again. */
const BUSY_SECONDS = 60;

const claimsSchema = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('approve'), number: z.string().regex(/^[0-9]{1,10}$/) }),
  z.object({ decision: z.literal('not_now'), number: z.undefined().optional() }),
  z.object({ decision: z.literal('not_me'), number: z.undefined().optional() }),
]);
type Decided = z.output<typeof claimsSchema>;
type Approved = { status: 'approved' };
type Missed = { status: 'wrong'; triesLeft: number };

/** What waits for an answer of a phone's account, and the answer. */
export function approvalEndpoints(
  {
    audit,
    clock,
    database,
    guesses,
    issuer,
    logger,
  }: Pick<FactorDeps<AppData>, 'audit' | 'clock' | 'database' | 'guesses' | 'issuer' | 'logger'>,
  { challenges, limits, notMe }: { challenges: Challenges; limits: Limits; notMe: NotMe },
): Endpoint[] {
  const refuse = ({ device, request: { requestId } }: Pick<DeviceCall, 'device' | 'request'>, reason: string) => {
    logger.info({ method: 'app', reason, requestId, deviceId: device._id }, 'answer of a device refused');
    return problem('REFUSED');
  };

  /** The decision that this phone has signed for this challenge; or why it is none, for the log. */
  const read = async (
    token: string,
    { device }: Pick<DeviceCall, 'device'>,
    { _id, details }: ChallengeDocument,
  ): Promise<Decided | { reason: string }> => {
    const verified = await verifyJws(token, { kid: device._id, ...device.data.key }, APPROVAL_TYP);
    if ('reason' in verified) return verified;
    const { aud, challenge, shown } = verified.claims;
    if (!isSame(aud, issuer)) return { reason: 'aud' };
    if (!isSame(challenge, _id)) return { reason: 'challenge' };
    if (!isSame(shown, sha256(details))) return { reason: 'shown' };
    const decided = claimsSchema.safeParse(verified.claims);
    return decided.success ? decided.data : { reason: 'decision' };
  };

  const originOf = ({ requestId, ip }: DeviceCall['request']) => ({ requestId, ...(ip ? { ip } : {}) });

  /** What came of a refusal; undefined when it is not possible, or not any more. */
  const turnDown = (
    { account, request }: DeviceCall,
    answering: Answering,
    challenge: ChallengeDocument,
    { decision }: Decided,
  ): Promise<ApiAnswer | undefined> =>
    database.transaction(async (unit) => {
      if (decision === 'not_now')
        return (await challenges.postpone(answering, unit)) ? ok({ outcome: 'postponed' }) : undefined;
      const isDone = await notMe(account, answering, challenge, originOf(request), unit);
      return isDone ? ok({ outcome: 'denied' }) : undefined;
    });

  /** Counts a wrong number and writes it down. */
  const miss = ({ account, request }: DeviceCall, answering: Answering): Promise<Missed | undefined> =>
    database.transaction(async (unit) => {
      const triesLeft = await challenges.miss(answering, unit);
      if (triesLeft === undefined) return undefined;
      await audit.record(
        {
          type: 'factor_rejected',
          accountId: account.id,
          actor: { type: 'account', id: account.id },
          origin: originOf(request),
          details: { method: 'app', reason: 'wrong', factorId: answering.factorId },
        },
        unit,
      );
      return { status: 'wrong', triesLeft };
    });

  /** The same of an approval, whose number may be guessed. */
  const approve = async (
    call: DeviceCall,
    answering: Answering,
    challenge: ChallengeDocument,
    typed: string,
  ): Promise<ApiAnswer | undefined> => {
    const { account, request } = call;
    const outcome = await guesses.look<Approved | Missed | undefined>(account, originOf(request), async () => {
      const isRight = challenges.isNumberOf(challenge, typed);
      if (isRight && (await challenges.approve(answering)))
        // The owner is there: what woke phones so far was theirs.
        return { was: 'right', result: { status: 'approved' }, settlements: [limits.forgotten(account.id)] };
      const result = isRight ? undefined : await miss(call, answering);
      return { was: result ? 'wrong' : 'no_guess', result };
    });
    switch (outcome?.status) {
      case undefined:
        return undefined;
      case 'approved':
        return ok({ outcome: 'approved' });
      case 'wrong':
        return problem('WRONG_NUMBER', { triesLeft: outcome.triesLeft });
      case 'throttled':
        if (!outcome.retryAt) return problem('REFUSED');
        return tooMany((outcome.retryAt.getTime() - clock.now().getTime()) / 1000);
    }
  };

  return [
    endpoint({
      path: '/challenges',
      body: z.strictObject({}),
      readsWaiting: true,
      async handle({ waiting }) {
        return ok({
          challenges: waiting.map(({ _id, details, digits, createdAt, expiresAt }) => ({
            id: _id,
            details,
            digits,
            createdAt: createdAt.toISOString(),
            expiresAt: expiresAt.toISOString(),
          })),
        });
      },
    }),
    endpoint({
      path: '/watch',
      body: z.strictObject({}),
      handle: async ({ account, device }) => ({
        status: 200,
        listener: { accountId: account.id, factorId: device._id, busy: tooMany(BUSY_SECONDS) },
      }),
    }),
    endpoint({
      path: '/challenges/:id/answer',
      body: z.strictObject({ answer: z.string().max(JWS_LENGTH) }),
      readsWaiting: true,
      async handle(call) {
        const { account, body, params, waiting } = call;
        const challenge = waiting.find(({ _id }) => _id === params.id);
        if (!challenge) return refuse(call, 'not pending');
        const decided = await read(body.answer, call, challenge);
        if ('reason' in decided) return refuse(call, decided.reason);
        const answering = { id: challenge._id, accountId: account.id, factorId: call.device._id };
        const answered =
          decided.decision === 'approve'
            ? await approve(call, answering, challenge, decided.number)
            : await turnDown(call, answering, challenge, decided);
        return answered ?? refuse(call, 'over');
      },
    }),
  ];
}
