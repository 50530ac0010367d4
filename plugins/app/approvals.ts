import { z } from 'zod';
import type { ApiAnswer, FactorDeps } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import type { ChallengeDocument, Challenges } from './challenges.js';
import type { AppData } from './data.js';
import { type DeviceCall, type Endpoint, endpoint } from './device-api.js';
import { ok, problem, tooMany } from './envelope.js';
import { APPROVAL_TYP, verifyJws } from './jws.js';
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

/** What waits for an answer of a phone's account, and the answer. */
export function approvalEndpoints(
  { audit, database, issuer, logger }: Pick<FactorDeps<AppData>, 'audit' | 'database' | 'issuer' | 'logger'>,
  { challenges, notMe }: { challenges: Challenges; notMe: NotMe },
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

  /** What came of it; undefined when it is not possible, or not any more. */
  const answer = async (
    call: DeviceCall,
    challenge: ChallengeDocument,
    decided: Decided,
    unit: Unit,
  ): Promise<ApiAnswer | undefined> => {
    const { account, device, request } = call;
    const { requestId, ip } = request;
    const origin = { requestId, ...(ip ? { ip } : {}) };
    const answering = { id: challenge._id, accountId: account.id, factorId: device._id };
    switch (decided.decision) {
      case 'not_now':
        return (await challenges.postpone(answering, unit)) ? ok({ outcome: 'postponed' }) : undefined;
      case 'not_me':
        return (await notMe(account, answering, challenge, origin, unit)) ? ok({ outcome: 'denied' }) : undefined;
      case 'approve': {
        const result = await challenges.approve(answering, decided.number, unit);
        if (result?.status !== 'wrong') return result && ok({ outcome: 'approved' });
        await audit.record(
          {
            type: 'factor_rejected',
            accountId: account.id,
            actor: { type: 'account', id: account.id },
            origin,
            details: { method: 'app', reason: 'wrong', factorId: device._id },
          },
          unit,
        );
        return problem('WRONG_NUMBER', { triesLeft: result.triesLeft });
      }
    }
  };

  return [
    endpoint({
      path: '/challenges',
      body: z.strictObject({}),
      async handle({ account }) {
        const waiting = await challenges.listFor(account.id);
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
      async handle(call) {
        const { account, body, params } = call;
        const challenge = await challenges.findPending({ id: params.id ?? '', accountId: account.id });
        if (!challenge) return refuse(call, 'not pending');
        const decided = await read(body.answer, call, challenge);
        if ('reason' in decided) return refuse(call, decided.reason);
        const answered = await database.transaction((unit) => answer(call, challenge, decided, unit));
        return answered ?? refuse(call, 'over');
      },
    }),
  ];
}
