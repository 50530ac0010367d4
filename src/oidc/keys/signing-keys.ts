import { setTimeout as sleep } from 'node:timers/promises';
import type { JWK } from 'oidc-provider';
import type { Audit } from '../../audit/contract.js';
import type { Clock } from '../../platform/clock.js';
import { type Database, isDuplicateKey } from '../../platform/database.js';
import type { SecretBox } from '../../platform/secret-box.js';
import {
  ALGORITHMS,
  type Algorithm,
  idOf,
  type KeysDocument,
  keysCollection,
  makeKey,
  openKey,
  readKeys,
} from './documents.js';

/** How long a change made elsewhere may go unseen. */
export const KNOWN_FOR_MS = 2_000;
/** How long a key that nobody has published before waits for its first signature: until the last node has looked, with clocks a second apart. */
export const UNHEARD_OF_MS = 2 * KNOWN_FOR_MS;

/** What this node signs with and publishes, as all nodes do. */
export interface SigningKeys {
  /** Private, of each algorithm the one that signs first, then the next one, then the previous ones. Another array once they change. */
  all(): readonly JWK[];
  /** To be awaited before keys are published or trusted: what is known of them is 2 s old at most then. */
  upToDate(): Promise<void>;
  /** To be awaited before anything is signed: the same, and every node publishes what signs. */
  maySign(): Promise<void>;
  /** Called at once, too. */
  onChange(heard: (keys: readonly JWK[]) => void): void;
}

export interface SigningKeysDeps {
  database: Database;
  secretBox: SecretBox;
  clock: Clock;
  audit?: Pick<Audit, 'record'>;
}

/**
 * The private signing keys, shared by all nodes and made by whichever starts first.
 * @throws when a stored key does not open: the sealing keys of this process are not those of the database.
 */
export async function loadSigningKeys(deps: SigningKeysDeps): Promise<SigningKeys> {
  const { database, secretBox, clock } = deps;
  for (const algorithm of ALGORITHMS) await ensureKey(deps, algorithm);

  const listeners: ((keys: readonly JWK[]) => void)[] = [];
  /** By `kid`: what was opened once stays open when it is sealed anew. */
  let opened = new Map<string, JWK>();
  let all: readonly JWK[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let signsFrom = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    // From before the query: an answer from before a change cannot pass for one from after it.
    const now = clock.now();
    const documents = await readKeys(database);
    if (documents.length < ALGORITHMS.length) throw new Error('the signing keys are gone from the database');
    const wanted = documents.flatMap(({ next, previous = [], ...current }) => [
      current,
      ...(next ? [next] : []),
      ...previous.filter(({ until }) => until > now),
    ]);
    const known = new Map(wanted.map((key) => [key.kid, opened.get(key.kid) ?? openKey(key, secretBox)]));
    signsFrom = Math.max(...documents.map((document) => document.signsFrom?.getTime() ?? Number.NEGATIVE_INFINITY));
    readAt = now.getTime();
    const isChanged = [...known.keys()].join() !== [...opened.keys()].join();
    opened = known;
    if (!isChanged) return;
    all = [...known.values()];
    for (const heard of listeners) heard(all);
  };
  await read();

  const upToDate = async (): Promise<void> => {
    const age = clock.now().getTime() - readAt;
    // A clock that was set back makes nothing younger.
    if (age >= 0 && age < KNOWN_FOR_MS) return;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    await reading;
  };

  return {
    all: () => all,
    upToDate,
    async maySign() {
      await upToDate();
      const wait = signsFrom - clock.now().getTime();
      if (wait > 0) await sleep(Math.min(wait, UNHEARD_OF_MS));
    },
    onChange(heard) {
      listeners.push(heard);
      heard(all);
    },
  };
}

async function ensureKey(deps: SigningKeysDeps, algorithm: Algorithm): Promise<void> {
  const keys = keysCollection(deps.database);
  const _id = idOf(algorithm);
  if (await keys.findOne({ _id }, { readConcern: 'majority', projection: { _id: 1 } })) return;
  const made: KeysDocument = { _id, algorithm, ...(await makeKey(algorithm, deps)) };
  try {
    await keys.insertOne({ ...made, since: made.createdAt });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    // Waits until the winner's key is there to stay: a key that is rolled back must sign nothing.
    if (!(await keys.findOne({ _id }, { readConcern: 'linearizable', maxTimeMS: 10_000 }))) throw error;
    return;
  }
  const details = { algorithm, kid: made.kid, state: 'current' };
  await deps.audit?.record({ type: 'signing_keys_created', actor: { type: 'system' }, details });
}
