import { z } from 'zod';
import type { ApiAnswer, FactorDeps } from '../../src/factors/contract.js';
import type { Answering, ChallengeDocument, Challenges } from './challenges.js';
import type { AppData } from './data.js';
import { type DeviceCall, type Endpoint, endpoint } from './device-api.js';
import { ok, problem } from './envelope.js';
import { APPROVAL_TYP, verifyJws } from './jws.js';
import type { NotMe } from './not-me.js';
import { isSame, sha256 } from './request-auth.js';

const JWS_LENGTH = 4_096;

const claimsSchema = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('approve'), number: z.string().regex(/^[0-9]{1,10}$/) }),
  z.object({ decision: z.literal('not_now'), number: z.undefined().optional() }),
  z.object({ decision: z.literal('not_me'), number: z.undefined().optional() }),
]);
type Decided = z.output<typeof claimsSchema>;

/** What waits for an answer of a phone's account, and the answer. */
export function approvalEndpoints(
  { audit, issuer, logger }: Pick<FactorDeps<AppData>, 'audit' | 'issuer' | 'logger'>,
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

  const approve = async (call: DeviceCall, answering: Answering, number: string): Promise<ApiAnswer> => {
    const result = await challenges.approve(answering, number);
    if (result?.status === 'approved') return ok({ outcome: 'approved' });
    if (!result) return refuse(call, 'over');
    const { requestId, ip } = call.request;
    await audit.record({
      type: 'factor_rejected',
      accountId: answering.accountId,
      actor: { type: 'account', id: answering.accountId },
      origin: { requestId, ...(ip ? { ip } : {}) },
      details: { method: 'app', reason: 'wrong', factorId: answering.factorId },
    });
    return problem('WRONG_NUMBER', { triesLeft: result.triesLeft });
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
      path: '/challenges/:id/answer',
      body: z.strictObject({ answer: z.string().max(JWS_LENGTH) }),
      async handle(call) {
        const { account, body, device, params, request } = call;
        const { id = '' } = params;
        const challenge = await challenges.findPending({ id, accountId: account.id });
        if (!challenge) return refuse(call, 'not pending');
        const decided = await read(body.answer, call, challenge);
        if ('reason' in decided) return refuse(call, decided.reason);
        const answering = { id, accountId: account.id, factorId: device._id };
        switch (decided.decision) {
          case 'approve':
            return approve(call, answering, decided.number);
          case 'not_now':
            return (await challenges.postpone(answering)) ? ok({ outcome: 'postponed' }) : refuse(call, 'over');
          case 'not_me': {
            const { requestId, ip } = request;
            const origin = { requestId, ...(ip ? { ip } : {}) };
            const isDenied = await notMe(account, answering, challenge, origin);
            return isDenied ? ok({ outcome: 'denied' }) : refuse(call, 'over');
          }
        }
      },
    }),
  ];
}
