import { timingSafeEqual } from 'node:crypto';
import type { mongo } from 'mongoose';
import { type BesideFactor, type FactorDeps, inSeconds, isDuplicateKey } from '../../src/factors/contract.js';
import type { Database, EnsureIndexes, Unit } from '../../src/platform/database.js';
import type { SealedPlace } from '../../src/platform/sealed-places.js';

/** How long a number can be typed on the phone, and from then on how long the browser may take to fetch its result. */
export const LIFE_SECONDS = 120;
/** How often a number can be typed. */
export const TRIES = 3;
/** How long nobody is asked in the app after "it wasn't me". */
const HELD_SECONDS = 900;
/** How long the page can still tell what became of it. */
const KEPT_SECONDS = 3600;
/** How many of one account wait at the same time. */
const PLACES = [0, 1, 2];
/** What stands for or against asking more, until it expires. */
const STANDING: ReadonlySet<ChallengeDocument['status']> = new Set(['pending', 'approved', 'denied']);

/**
 * One question to the phones of an account. `pending` until somebody answers; `approved` until the browser that asked has `claimed`
 * it; `over` after too many wrong numbers; `cancelled` when another way was chosen.
 */
export interface ChallengeDocument {
  /** 128 random bits. */
  _id: string;
  /** The sign-in that asks. */
  cid: string;
  /** Which of the questions of its sign-in, from 1: each is asked in knowledge of the one before. */
  nth: number;
  accountId: string;
  status: 'pending' | 'approved' | 'denied' | 'postponed' | 'over' | 'claimed' | 'cancelled';
  /** Sealed. */
  number: string;
  digits: number;
  /** Numbers typed wrong. */
  wrong: number;
  /** JSON, letter by letter as the phone shows it and signs it. */
  details: string;
  /** When phones were last told that it waits; absent: they never were. */
  wokenAt?: Date;
  /** One of the account's places, while it is pending. */
  place?: number;
  createdAt: Date;
  /** A pending one can be answered, an approved one claimed, and a denied one holds others back, until then. */
  expiresAt: Date;
  /** Heard of by pages that wait. */
  changedAt: Date;
  /** Of the device that answered. */
  factorId?: string;
  /** A trial: the one device that is asked. */
  onlyFor?: string;
}

/** What one sign-in asks the phones of an account. */
export type Question = Pick<ChallengeDocument, 'cid' | 'accountId' | 'details' | 'onlyFor'> & { isWoken: boolean };
/** The sign-in that asks. */
type Asker = Pick<Question, 'cid' | 'accountId'>;
/** Which one a device of an account answers. */
export interface Answering {
  id: string;
  accountId: string;
  factorId: string;
}

/** The same, for whoever asks as well as for whoever answers. */
type Waiting = Pick<Answering, 'id' | 'accountId'> & Partial<Answering>;

/** What an account is asked at present, seen from one of its sign-ins. */
export interface Standing {
  /** What this sign-in asks already, or has its answer from: it asks nothing more. A trial is repeated at will. */
  running?: ChallengeDocument;
  /** What this sign-in has asked last, whatever became of it. */
  latest?: ChallengeDocument;
  /** Until when nobody is asked, because one of this account's sign-ins was disowned. */
  heldUntil?: Date;
  /** The first that is free; else when one will be. */
  place: number | { freeAt: Date };
}
export type Opening = { challenge: ChallengeDocument; isNew: boolean } | { retryAt: Date };

export const CHALLENGES = 'app_challenges';
const collectionOf = (database: Database): mongo.Collection<ChallengeDocument> =>
  database.collection<ChallengeDocument>(CHALLENGES);

export const ensureChallengeIndexes: EnsureIndexes = async (database) => {
  const partialFilterExpression = { place: { $exists: true } };
  await collectionOf(database).createIndexes([
    { key: { accountId: 1, place: 1 }, name: 'places_of_account', unique: true, partialFilterExpression },
    { key: { accountId: 1, cid: 1 }, name: 'one_per_sign_in', unique: true, partialFilterExpression },
    { key: { accountId: 1, expiresAt: 1 }, name: 'latest_of_account' },
    {
      key: { accountId: 1, cid: 1, nth: -1 },
      name: 'one_after_the_other',
      unique: true,
      partialFilterExpression: { nth: { $exists: true } },
    },
    { key: { changedAt: 1 }, name: 'changed' },
    { key: { expiresAt: 1 }, name: 'sweep', expireAfterSeconds: KEPT_SECONDS },
  ]);
};

/** Where a number belongs: a sealed one in another challenge does not open. */
const numberContext = ({ _id, accountId }: Pick<ChallengeDocument, '_id' | 'accountId'>): string =>
  `challenge/${accountId}/${_id}/number`;

export const SEALED_NUMBERS: SealedPlace<ChallengeDocument> = {
  collection: CHALLENGES,
  fields: ['accountId', 'number'],
  valuesIn: (challenge) => [{ path: 'number', sealed: challenge.number, context: numberContext(challenge) }],
};

/** Answered, for good: a sign-in, unlike a trial, asks nothing more. */
const isDone = ({ status, onlyFor }: ChallengeDocument): boolean => status === 'claimed' && onlyFor === undefined;

const isSame = (typed: string, number: string): boolean =>
  typed.length === number.length && timingSafeEqual(Buffer.from(typed), Buffer.from(number));

/** The questions to phones. Every transition is one conditional update: of all answers one counts. */
export function createChallenges(
  { clock, database, random, secretBox }: Pick<FactorDeps, 'clock' | 'database' | 'random' | 'secretBox'>,
  { digits }: Pick<ChallengeDocument, 'digits'>,
) {
  const challenges = collectionOf(database);

  /** What a device is asked: by any sign-in of its account, or by a trial of its own. */
  const asks = (factorId: string) => ({ $or: [{ onlyFor: { $exists: false } }, { onlyFor: factorId }] });
  const pending = ({ id, accountId, factorId }: Waiting, now: Date) => ({
    _id: id,
    accountId,
    status: 'pending' as const,
    expiresAt: { $gt: now },
    ...(factorId === undefined ? {} : asks(factorId)),
  });
  const ofSignIn = ({ accountId, cid }: Asker) => ({ accountId, cid, nth: { $gte: 1 } });
  const numberOf = (challenge: Pick<ChallengeDocument, '_id' | 'accountId' | 'number'>): string =>
    secretBox.open(challenge.number, numberContext(challenge)).toString();
  const answer = async (
    answering: Answering,
    status: 'approved' | 'denied' | 'postponed',
    seconds: number,
    unit?: Unit,
  ): Promise<boolean> => {
    const now = clock.now();
    const { modifiedCount } = await challenges.updateOne(
      pending(answering, now),
      {
        $set: { status, factorId: answering.factorId, changedAt: now, expiresAt: inSeconds(now, seconds) },
        $unset: { place: '' },
      },
      unit && { session: unit.session },
    );
    return modifiedCount === 1;
  };

  const standing = async ({ accountId, cid }: Asker): Promise<Standing> => {
    const now = clock.now();
    const found = await challenges
      .find({
        $or: [ofSignIn({ accountId, cid }), { accountId, expiresAt: { $gt: now }, status: { $in: [...STANDING] } }],
      })
      .toArray();
    const live = found
      .filter(({ expiresAt, status }) => expiresAt > now && STANDING.has(status))
      .sort((one, other) => one.expiresAt.getTime() - other.expiresAt.getTime());
    const [latest] = found.filter((one) => one.cid === cid).sort((one, other) => other.nth - one.nth);
    const asked = live.find((one) => one.cid === cid && one.status !== 'denied');
    const running = asked ?? (latest && isDone(latest) ? latest : undefined);
    const denied = live.findLast(({ status }) => status === 'denied');
    const waiting = live.filter(({ place }) => place !== undefined);
    const [first] = waiting;
    const free = PLACES.find((place) => !waiting.some((one) => one.place === place));
    return {
      ...(running ? { running } : {}),
      ...(latest ? { latest } : {}),
      ...(denied ? { heldUntil: denied.expiresAt } : {}),
      place: free ?? { freeAt: first?.expiresAt ?? now },
    };
  };

  /** False: somebody was faster, or one that has expired still holds the place. */
  const insert = async (challenge: ChallengeDocument): Promise<boolean> => {
    try {
      await challenges.insertOne(challenge);
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return false;
    }
  };

  return {
    standing,

    /**
     * Asks, or tells what this sign-in asks already. When the account's places are taken it says when one will be free: nobody who
     * waits is pushed out.
     * @param known how it stood a moment ago, for whoever has looked already.
     */
    async open({ cid, accountId, details, isWoken, onlyFor }: Question, known?: Standing): Promise<Opening> {
      const now = clock.now();
      let { running, latest, place } = known ?? (await standing({ cid, accountId }));
      const _id = random.token(128);
      const number = String(random.integer(10 ** digits)).padStart(digits, '0');
      const challenge = {
        _id,
        cid,
        accountId,
        status: 'pending' as const,
        number: secretBox.seal(number, numberContext({ _id, accountId })),
        digits,
        wrong: 0,
        details,
        ...(isWoken ? { wokenAt: now } : {}),
        ...(onlyFor ? { onlyFor } : {}),
        createdAt: now,
        changedAt: now,
        expiresAt: inSeconds(now, LIFE_SECONDS),
      };
      for (let tries = 0; !running && typeof place === 'number' && tries <= PLACES.length; tries += 1) {
        const placed = { ...challenge, place, nth: (latest?.nth ?? 0) + 1 };
        if (await insert(placed)) return { challenge: placed, isNew: true };
        const stale = { accountId, place: { $gte: 0 }, expiresAt: { $lte: now } };
        await challenges.updateMany(stale, { $unset: { place: '' } });
        ({ running, latest, place } = await standing({ accountId, cid }));
      }
      if (running) return { challenge: running, isNew: false };
      return { retryAt: typeof place === 'number' ? now : place.freeAt };
    },

    /** Notes that its phones are told once more. False: it is over, or they were told since `before`. */
    async wakeAgain({ _id, accountId }: Pick<ChallengeDocument, '_id' | 'accountId'>, before: Date): Promise<boolean> {
      const now = clock.now();
      const { modifiedCount } = await challenges.updateOne(
        { ...pending({ id: _id, accountId }, now), wokenAt: { $not: { $gt: before } } },
        { $set: { wokenAt: now } },
      );
      return modifiedCount === 1;
    },

    /** What a sign-in has asked last, in whatever state. */
    async latest(asker: Asker): Promise<ChallengeDocument | undefined> {
      const [latest] = await challenges.find(ofSignIn(asker)).sort({ nth: -1 }).limit(1).toArray();
      return latest;
    },

    /** What waits for an answer of a phone, the newest last; to be read with it. */
    waitingFor: (factorId: string): BesideFactor => ({
      collection: CHALLENGES,
      pipeline: [
        { $match: { place: { $gte: 0 }, status: 'pending', expiresAt: { $gt: clock.now() }, ...asks(factorId) } },
        { $sort: { createdAt: 1, _id: 1 } },
      ],
    }),

    /** For the page of the sign-in alone. @throws Error when it was sealed for another challenge. */
    numberOf,

    /** @param challenge as it was found; its number never changes. */
    isNumberOf: (challenge: Pick<ChallengeDocument, '_id' | 'accountId' | 'number'>, typed: string): boolean =>
      isSame(typed, numberOf(challenge)),

    /** The right number was typed. False: not possible, or not any more. */
    approve: (answering: Answering): Promise<boolean> => answer(answering, 'approved', LIFE_SECONDS),

    /** Counts a wrong number; the last one ends the challenge. Returns how many are left; undefined: not possible, or not any more. */
    async miss(answering: Answering, { session }: Unit): Promise<number | undefined> {
      const now = clock.now();
      const isLast = { $gte: [{ $add: ['$wrong', 1] }, TRIES] };
      const counted = await challenges.findOneAndUpdate(
        pending(answering, now),
        [
          {
            $set: {
              wrong: { $add: ['$wrong', 1] },
              status: { $cond: [isLast, 'over', '$status'] },
              place: { $cond: [isLast, '$$REMOVE', '$place'] },
              changedAt: now,
            },
          },
        ],
        { returnDocument: 'after', session },
      );
      return counted ? TRIES - counted.wrong : undefined;
    },

    /** "Not now". False: not possible, or not any more. */
    postpone: (answering: Answering, unit: Unit): Promise<boolean> => answer(answering, 'postponed', 0, unit),

    /** "It wasn't me". False: not possible, or not any more. */
    deny: (answering: Answering, unit: Unit): Promise<boolean> => answer(answering, 'denied', HELD_SECONDS, unit),

    /** Takes the approval for the sign-in that asked, once. Returns the device that gave it. */
    async claim(asker: Asker): Promise<string | undefined> {
      const now = clock.now();
      const claimed = await challenges.findOneAndUpdate(
        { ...ofSignIn(asker), status: 'approved', expiresAt: { $gt: now } },
        { $set: { status: 'claimed', changedAt: now } },
      );
      return claimed?.factorId;
    },

    /** Nothing that waits, or was approved and not fetched, is worth anything any more: of one sign-in, or of all. */
    async cancel(accountId: string, cid?: string, unit?: Unit): Promise<void> {
      const now = clock.now();
      await challenges.updateMany(
        {
          accountId,
          ...(cid === undefined ? {} : { cid }),
          status: { $in: ['pending', 'approved'] },
          expiresAt: { $gt: now },
        },
        { $set: { status: 'cancelled', changedAt: now }, $unset: { place: '' } },
        unit ? { session: unit.session } : {},
      );
    },
  };
}

export type Challenges = ReturnType<typeof createChallenges>;
