import type { mongo } from 'mongoose';
import { type Clock, inSeconds } from '../platform/clock.js';
import { type Database, isDuplicateKey } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { Challenge } from './contract.js';

/** How long a begun challenge can be answered. SP 800-63B-4 section 3.1.3.1: an out-of-band secret lives 10 minutes at most. */
export const CHALLENGE_TTL_SECONDS = 600;
/** How long an answered one is remembered: longer than any sign-in lives. */
const DONE_TTL_SECONDS = 86_400;

export interface ChallengeRecord {
  _id: string;
  accountId?: string;
  status: 'pending' | 'done';
  state?: Record<string, unknown>;
  /** Changes with each `save`, so that an answer to an earlier state cannot complete a later one. */
  revision?: string;
  expiresAt: Date;
}

export interface StoredChallenge {
  challenge: Challenge;
  /** Absent when nothing was stored for it. */
  revision?: string;
  isDone: boolean;
}

export const challengeCollection = (database: Database): mongo.Collection<ChallengeRecord> =>
  database.collection<ChallengeRecord>('challenges');

type Key = Pick<Challenge, 'cid' | 'accountId' | 'method'>;

const idOf = ({ cid, accountId, method }: Key): string => [cid, accountId, method].map(encodeURIComponent).join('|');

/** One pending proof per sign-in, account and method: what must be remembered between the question and the answer. */
export class Challenges {
  readonly #challenges: mongo.Collection<ChallengeRecord>;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ database, clock, random }: { database: Database; clock: Clock; random: Random }) {
    this.#challenges = challengeCollection(database);
    this.#clock = clock;
    this.#random = random;
  }

  /** What is stored and has not expired; a challenge with an empty state when there is nothing. */
  async find(key: Key): Promise<StoredChallenge> {
    const stored = await this.#challenges.findOne({ _id: idOf(key), expiresAt: { $gt: this.#clock.now() } });
    const { cid, accountId, method } = key;
    return {
      challenge: { cid, accountId, method, state: stored?.state ?? {} },
      ...(stored?.revision ? { revision: stored.revision } : {}),
      isDone: stored?.status === 'done',
    };
  }

  /** Remembers a state in place of an earlier one; an answered challenge stays answered. */
  async save(key: Key, state: Record<string, unknown>, ttlSeconds = CHALLENGE_TTL_SECONDS): Promise<void> {
    try {
      await this.#challenges.updateOne(
        { _id: idOf(key), status: 'pending' },
        {
          $set: {
            accountId: key.accountId,
            state,
            revision: this.#random.token(128),
            expiresAt: inSeconds(this.#clock.now(), ttlSeconds),
          },
        },
        { upsert: true },
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  /**
   * Nothing that waits for an answer of this account can be answered any more.
   * @param within only what waits in one sign-in, by any of these methods.
   */
  async cancel(accountId: string, within?: { cid: string; methods: readonly string[] }): Promise<void> {
    const ids = within?.methods.map((method) => idOf({ cid: within.cid, accountId, method }));
    await this.#challenges.updateMany(
      { ...(ids ? { _id: { $in: ids } } : {}), accountId, status: 'pending' },
      { $set: { expiresAt: this.#clock.now() } },
    );
  }

  /**
   * Pending to done, once, by one conditional write: of two correct answers on two nodes one wins.
   * @param revision of the state that was answered; without one there must be nothing stored yet that was answered or ran out.
   */
  async claim(key: Key, revision: string | undefined): Promise<boolean> {
    const now = this.#clock.now();
    const done = {
      $set: { status: 'done' as const, expiresAt: inSeconds(now, DONE_TTL_SECONDS) },
      $unset: { state: '' as const, revision: '' as const },
    };
    const open = { _id: idOf(key), status: 'pending' as const, expiresAt: { $gt: now } };
    if (revision) return (await this.#challenges.updateOne({ ...open, revision }, done)).modifiedCount === 1;
    try {
      const { modifiedCount, upsertedCount } = await this.#challenges.updateOne(open, done, { upsert: true });
      return modifiedCount + upsertedCount === 1;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}
