import type { mongo } from 'mongoose';
import type { Audit, AuditEvent } from '../../audit/contract.js';
import type { Config } from '../../config/index.js';
import type { Announcer } from '../../notifications/announcements.js';
import { type Clock, inSeconds } from '../../platform/clock.js';
import type { Database, Unit } from '../../platform/database.js';
import type { SecretBox } from '../../platform/secret-box.js';
import {
  type Algorithm,
  idOf,
  type KeysDocument,
  keysCollection,
  makeKey,
  readKeys,
  type SealedKey,
} from './documents.js';
import { UNHEARD_OF_MS } from './signing-keys.js';

const DAY_SECONDS = 86_400;
/** How long a key is published before it signs: whoever keeps our keys for a day knows it by then. */
export const NEXT_SECONDS = DAY_SECONDS;

/** ID tokens and JWT access tokens: none lives longer. */
const LONGEST_TOKEN_SECONDS = 300;
const CLOCK_MARGIN_SECONDS = 300;

/** A key as operators see it: nothing of what it is made of. */
export interface KeyState {
  algorithm: Algorithm;
  kid: string;
  state: 'next' | 'current' | 'previous';
  /** Since when it is that; of a previous one, since when it signed. */
  since: Date;
  /** Of a previous one: how long it is published. */
  until?: Date;
}

export type RotationOutcome =
  | { status: 'rotated'; keys: { algorithm: Algorithm; kid: string; previousKid: string }[] }
  /** Not possible before then. */
  | { status: 'too_early'; readyAt: Date }
  /** Somebody else was faster. */
  | { status: 'changed_meanwhile' };

type Actor = AuditEvent['actor'];

export interface KeyRotation {
  list(): Promise<KeyState[]>;
  /** What has to be done by time: a next key where there is none, the rotation that is due, an end to previous keys. By one node, whichever comes first. */
  keep(): Promise<void>;
  /** The next keys sign from now on, at every node; those that signed stay published until all that they signed is over. */
  rotate(actor: Actor): Promise<RotationOutcome>;
  /**
   * Keys that nobody has seen take the place of all there are: whatever those signed is void at once. They sign as soon as every node
   * publishes them, until then requests wait.
   */
  replaceAll(actor: Actor): Promise<RotationOutcome>;
}

export interface KeyRotationDeps {
  database: Database;
  secretBox: SecretBox;
  clock: Clock;
  audit: Pick<Audit, 'record'>;
  announcer: Announcer;
  config: Pick<Config, 'keys' | 'sessions'>;
}

const SYSTEM: Actor = { type: 'system' };

export function createKeyRotation(deps: KeyRotationDeps): KeyRotation {
  const { database, clock, audit, announcer } = deps;
  const { rotateDays } = deps.config.keys;
  /** An ID token comes back as `id_token_hint` for as long as its session lives. */
  const previousSeconds = Math.max(deps.config.sessions.overallSeconds, LONGEST_TOKEN_SECONDS) + CLOCK_MARGIN_SECONDS;
  const keys = keysCollection(database);

  /** One conditional update and what tells of it. False when the keys are not these any more. @param fresh published from now on */
  const turn = async (
    { _id, algorithm, kid, next }: KeysDocument,
    fresh: SealedKey,
    actor: Actor,
    unit: Unit,
  ): Promise<boolean> => {
    const now = clock.now();
    const left: mongo.Document = {
      kid: '$kid',
      sealed: '$sealed',
      createdAt: '$createdAt',
      since: { $ifNull: ['$since', '$createdAt'] },
      until: inSeconds(now, previousSeconds),
    };
    const { modifiedCount } = await keys.updateOne(
      { _id, kid, 'next.kid': next?.kid ?? '', 'next.createdAt': { $lte: inSeconds(now, -NEXT_SECONDS) } },
      [
        {
          $set: {
            kid: '$next.kid',
            sealed: '$next.sealed',
            createdAt: '$next.createdAt',
            since: now,
            next: { $literal: fresh },
            previous: { $concatArrays: [[left], { $ifNull: ['$previous', []] }] },
          },
        },
      ],
      { session: unit.session },
    );
    if (modifiedCount === 0) return false;
    const details = { algorithm, kid: next?.kid ?? '', previousKid: kid };
    await audit.record({ type: 'signing_keys_rotated', actor, details }, unit);
    return true;
  };

  const readyAt = ({ next }: KeysDocument): Date => inSeconds(next?.createdAt ?? clock.now(), NEXT_SECONDS);

  const addNext = async (algorithm: Algorithm): Promise<void> => {
    const next = await makeKey(algorithm, deps);
    await database.transaction(async (unit) => {
      const without = { _id: idOf(algorithm), next: { $exists: false } };
      const { modifiedCount } = await keys.updateOne(without, { $set: { next } }, { session: unit.session });
      if (modifiedCount === 0) return;
      const details = { algorithm, kid: next.kid, state: 'next' };
      await audit.record({ type: 'signing_keys_created', actor: SYSTEM, details }, unit);
    });
  };

  return {
    async list() {
      const now = clock.now();
      return (await readKeys(database)).flatMap(({ algorithm, kid, createdAt, since = createdAt, next, previous }) => [
        { algorithm, kid, state: 'current' as const, since },
        ...(next ? [{ algorithm, kid: next.kid, state: 'next' as const, since: next.createdAt }] : []),
        ...(previous ?? [])
          .filter(({ until }) => until > now)
          .map((left) => ({
            algorithm,
            kid: left.kid,
            state: 'previous' as const,
            since: left.since,
            until: left.until,
          })),
      ]);
    },

    async keep() {
      const now = clock.now();
      for (const document of await readKeys(database)) {
        const { _id, algorithm, createdAt, since = createdAt, next } = document;
        await keys.updateOne(
          { _id, 'previous.until': { $lte: now } },
          { $pull: { previous: { until: { $lte: now } } } },
        );
        const isDue = rotateDays > 0 && since <= inSeconds(now, -rotateDays * DAY_SECONDS) && readyAt(document) <= now;
        if (!next) await addNext(algorithm);
        else if (isDue) {
          const fresh = await makeKey(algorithm, deps);
          await database.transaction((unit) => turn(document, fresh, SYSTEM, unit));
        }
      }
    },

    async rotate(actor) {
      const before = await readKeys(database);
      const last = new Date(Math.max(...before.map((document) => readyAt(document).getTime())));
      if (last > clock.now()) return { status: 'too_early', readyAt: last };
      const turns = await Promise.all(
        before.map(async (document) => ({ document, fresh: await makeKey(document.algorithm, deps) })),
      );
      return allOrNothing(async (unit) => {
        for (const { document, fresh } of turns)
          if (!(await turn(document, fresh, actor, unit))) throw new ChangedMeanwhile();
        return before.map(({ algorithm, kid, next }) => ({ algorithm, kid: next?.kid ?? '', previousKid: kid }));
      });
    },

    async replaceAll(actor) {
      const before = await readKeys(database);
      const replacements = await Promise.all(
        before.map(async ({ _id, algorithm, kid }) => {
          const [key, next] = [await makeKey(algorithm, deps), await makeKey(algorithm, deps)];
          return { where: { _id, kid }, set: { ...key, next }, shown: { algorithm, kid: key.kid, previousKid: kid } };
        }),
      );
      const voidKids = before.flatMap(({ kid, next, previous = [] }) =>
        [kid, next?.kid ?? [], previous.map((left) => left.kid)].flat(),
      );
      return allOrNothing(async (unit) => {
        const now = clock.now();
        const signsFrom = new Date(now.getTime() + UNHEARD_OF_MS);
        for (const { where, set } of replacements) {
          const update = { $set: { ...set, since: now, signsFrom, previous: [] } };
          const { modifiedCount } = await keys.updateOne(where, update, { session: unit.session });
          if (modifiedCount === 0) throw new ChangedMeanwhile();
        }
        const shown = replacements.map((one) => one.shown);
        const facts = { kids: shown.map(({ kid }) => kid), voidKids };
        await audit.record({ type: 'signing_keys_replaced', actor, details: facts }, unit);
        await announcer.announce({ type: 'signing_keys_replaced', at: now.toISOString(), facts }, unit);
        return shown;
      });
    },
  };

  async function allOrNothing(
    work: (unit: Unit) => Promise<Extract<RotationOutcome, { status: 'rotated' }>['keys']>,
  ): Promise<RotationOutcome> {
    try {
      return { status: 'rotated', keys: await database.transaction(work) };
    } catch (error) {
      if (error instanceof ChangedMeanwhile) return { status: 'changed_meanwhile' };
      throw error;
    }
  }
}

/** Takes back what the transaction has done so far. */
class ChangedMeanwhile extends Error {}
