import { createHash } from 'node:crypto';
import { type Clock, inSeconds } from '../../platform/clock.js';
import { type Database, type EnsureIndexes, isDuplicateKey } from '../../platform/database.js';
import { ApiProblem } from './problem.js';
import type { Reply } from './route.js';

const COLLECTION = 'idempotency_keys';
const KEEP_SECONDS = 24 * 3600;
/** A request that has not answered by then died with its node: the next one with the same key takes its place. */
const LEASE_SECONDS = 60;

interface KeyDocument {
  /** Of caller, operation, path and key. */
  _id: string;
  bodyHash: string;
  /** Absent while the first request runs. */
  answer?: { status: number; headers?: Record<string, string>; body?: unknown };
  leaseUntil: Date;
  expiresAt: Date;
}

/** Makes POST safe to repeat: the same key from the same caller does the work once, on whichever node. */
export interface Idempotency {
  /**
   * @param secrets names of fields that are answered once and never stored.
   * @throws ApiProblem IDEMPOTENCY_KEY_REQUIRED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_RUNNING
   */
  once(
    request: { key: string; caller: string; operation: string; input: unknown; secrets?: readonly string[] },
    work: () => Promise<Reply>,
  ): Promise<Reply>;
}

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url');

export function createIdempotency({ database, clock }: { database: Database; clock: Clock }): Idempotency {
  const keys = database.collection<KeyDocument>(COLLECTION);

  /** Until when the key is ours to work under; or the stored answer. */
  const claim = async (_id: string, bodyHash: string): Promise<Date | Reply> => {
    const now = clock.now();
    const leaseUntil = inSeconds(now, LEASE_SECONDS);
    const fresh = { bodyHash, leaseUntil, expiresAt: inSeconds(now, KEEP_SECONDS) };
    const isFree = [{ expiresAt: { $lte: now } }, { bodyHash, answer: { $exists: false }, leaseUntil: { $lte: now } }];
    try {
      await keys.updateOne({ _id, $or: isFree }, { $set: fresh, $unset: { answer: '' } }, { upsert: true });
      return leaseUntil;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const first = await keys.findOne({ _id });
    if (first && first.bodyHash !== bodyHash) throw new ApiProblem('IDEMPOTENCY_KEY_REUSED');
    if (!first?.answer) throw new ApiProblem('IDEMPOTENCY_KEY_RUNNING', { retryAfterSeconds: 1 });
    const { status, headers = {}, body } = first.answer;
    return { status, headers: { ...headers, 'Idempotency-Replayed': 'true' }, ...(body === undefined ? {} : { body }) };
  };

  return {
    async once({ key, caller, operation, input, secrets = [] }, work) {
      if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
        throw new ApiProblem('IDEMPOTENCY_KEY_REQUIRED', {
          detail: 'send an Idempotency-Key of 1 to 255 printable characters, a new one for each thing to be done',
        });
      }
      const _id = hash([caller, operation, key]);
      const claimed = await claim(_id, hash(input ?? null));
      if (!(claimed instanceof Date)) return claimed;
      const ours = { _id, leaseUntil: claimed };
      let reply: Reply;
      try {
        reply = await work();
      } catch (error) {
        // Refused, nothing was done: the key is as good as new.
        await keys.deleteOne(ours).catch(() => {});
        throw error;
      }
      await keys.updateOne(ours, { $set: { answer: toStore(reply, secrets) } });
      return reply;
    },
  };
}

function toStore({ status, headers, body }: Reply, secrets: readonly string[]): NonNullable<KeyDocument['answer']> {
  const isObject = typeof body === 'object' && body !== null;
  const open = isObject && secrets.length > 0 ? { ...body, secretsWithheld: true } : body;
  for (const name of isObject ? secrets : []) delete (open as Record<string, unknown>)[name];
  return { status, ...(headers ? { headers } : {}), ...(open === undefined ? {} : { body: open }) };
}

/** Keys are found by `_id`; the broom has the other index. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndex({ expiresAt: 1 }, { name: 'sweep', expireAfterSeconds: 0 });
};
