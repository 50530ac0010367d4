import { createHash } from 'node:crypto';
import type { Engine, EngineAccount, SignIn } from '../../../src/factors/index.js';
import { newSignIn } from '../../factors/two-nodes.js';
import type { Deviation, Phone, PhoneAnswer } from './phone.js';

/** One that waits, as the phone is told of it. */
export interface Waiting {
  id: string;
  details: string;
  digits: number;
  createdAt: string;
  expiresAt: string;
}

export const waitingOn = async (phone: Phone): Promise<Waiting[]> => {
  const answer = await phone.post('/challenges');
  if (answer.status !== 200) throw new Error(`no challenges: ${answer.status} ${answer.body.code}`);
  return answer.body.challenges;
};

export const shownHash = (details: string): string => createHash('sha256').update(details).digest('base64url');

/** What a phone signs for its answer; `undefined` leaves a claim out. */
export const claimsOf = (phone: Phone, waiting: Pick<Waiting, 'id' | 'details'>, claims: Record<string, unknown>) => ({
  aud: phone.issuer,
  challenge: waiting.id,
  shown: shownHash(waiting.details),
  ...claims,
});

export async function answerWith(
  phone: Phone,
  waiting: Pick<Waiting, 'id' | 'details'>,
  claims: Record<string, unknown>,
  change: Deviation & { typ?: string; id?: string } = {},
): Promise<PhoneAnswer> {
  const { typ = 'countersign-approval+jwt', id = waiting.id, ...deviation } = change;
  const answer = await phone.sign(typ, claimsOf(phone, waiting, claims), deviation);
  return phone.post(`/challenges/${id}/answer`, { answer });
}

export const approveWith = (phone: Phone, waiting: Waiting, number: string, change: Deviation = {}) =>
  answerWith(phone, waiting, { decision: 'approve', number }, change);

/** A sign-in whose page was looked at. */
export async function asking(engine: Engine, account: EngineAccount, more: Partial<SignIn> = {}) {
  const signIn = { ...newSignIn(account), ...more };
  const locals = (await engine.begin(signIn, 'app'))?.locals ?? {};
  return { signIn, locals, number: String(locals.number ?? '').replaceAll(' ', '') };
}

export const stateOf = async (engine: Engine, signIn: SignIn): Promise<unknown> =>
  (await engine.begin(signIn, 'app'))?.locals.state;
