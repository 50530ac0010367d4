import { type Clock, inSeconds } from './clock.js';
import type { Database } from './database.js';

/** Hears of documents that changed, on whichever node: one query per tick and node, however many listen. */
export interface ChangeWatcher {
  /** Calls back once, when this document is no longer as `changedAt` says, with its status. Returns how to stop. */
  onChange(id: string, changedAt: Date, heard: (status?: string) => void): () => void;
  /**
   * Calls back whenever a document with this `accountId` was made or changed, and at first for what is not older than the tolerance: what
   * the listener has seen of it nobody knows. Returns how to stop.
   */
  onAccount(accountId: string, heard: () => void): () => void;
  /** Calls back whenever any document was made or changed. Returns how to stop. */
  onAny(heard: () => void): () => void;
  stop(): void;
}

/** Nodes' clocks may differ by less than this, and a change may take this long from its time to its commit. */
const TOLERANCE_SECONDS = 30;
const TICK_MS = 500;

interface Watched {
  _id: string;
  changedAt: Date;
  accountId?: string;
  status?: string;
}

interface Listener {
  since: number;
  heard: (status?: string) => void;
}

/**
 * Looks for documents of a collection that were made or changed lately: one query along `{ changedAt: 1 }` per tick, only while somebody
 * listens, and the same for one listener or thousands. A database that is away for a while is waited for.
 */
export function createChangeWatcher({
  database,
  clock,
  collection,
  tickMs = TICK_MS,
}: {
  database: Database;
  clock: Clock;
  /** Its documents say when they changed last, and `{ changedAt: 1 }` is an index. */
  collection: string;
  tickMs?: number;
}): ChangeWatcher {
  const documents = database.collection<Watched>(collection);
  const listeners = new Map<string, Set<Listener>>();
  const accountListeners = new Map<string, Set<() => void>>();
  const anyListeners = new Set<() => void>();
  /** What the last tick saw, so that the next knows what is new; undefined before the first. */
  let seen: Map<string, number> | undefined;
  let lookedAt: Date | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const isHeardBySomebody = (): boolean => listeners.size > 0 || accountListeners.size > 0 || anyListeners.size > 0;

  const tellEach = ({ _id, changedAt, status }: Watched): void => {
    const changed = changedAt.getTime();
    for (const listener of listeners.get(_id) ?? []) {
      if (listener.since === changed) continue;
      leave(listeners, _id, listener);
      listener.heard(status);
    }
  };

  const look = async (): Promise<void> => {
    const now = clock.now();
    const from = inSeconds(lookedAt ?? now, -TOLERANCE_SECONDS);
    const found = await documents
      .find({ changedAt: { $gt: from } }, { projection: { changedAt: 1, accountId: 1, status: 1 } })
      .toArray();
    lookedAt = now;
    for (const document of found) tellEach(document);
    const before = seen;
    seen = new Map(found.map(({ _id, changedAt }) => [_id, changedAt.getTime()]));
    const news = found.filter(({ _id, changedAt }) => before?.get(_id) !== changedAt.getTime());
    for (const accountId of new Set(news.map((document) => document.accountId ?? '')))
      for (const heard of accountListeners.get(accountId) ?? []) heard();
    if (before && news.length > 0) for (const heard of anyListeners) heard();
  };

  const tick = async (): Promise<void> => {
    // Away or slow: the next tick looks back to where the last one that came through has looked.
    await look().catch(() => {});
    timer = undefined;
    run();
  };

  const run = (): void => {
    if (timer || isStopped) return;
    if (!isHeardBySomebody()) {
      seen = undefined;
      lookedAt = undefined;
      return;
    }
    timer = setTimeout(() => void tick(), tickMs);
    timer.unref();
  };

  const join = <One>(groups: Map<string, Set<One>>, name: string, one: One): void => {
    groups.set(name, (groups.get(name) ?? new Set()).add(one));
    run();
  };
  const leave = <One>(groups: Map<string, Set<One>>, name: string, one: One): void => {
    const group = groups.get(name);
    group?.delete(one);
    if (group?.size === 0) groups.delete(name);
  };

  return {
    onChange(watchedId, changedAt, heard) {
      const listener = { since: changedAt.getTime(), heard };
      join(listeners, watchedId, listener);
      return () => leave(listeners, watchedId, listener);
    },
    onAccount(accountId, heard) {
      // A function of its own for each call: the same one may be given twice.
      const listener = (): void => heard();
      join(accountListeners, accountId, listener);
      return () => leave(accountListeners, accountId, listener);
    },
    onAny(heard) {
      const listener = (): void => heard();
      anyListeners.add(listener);
      run();
      return () => void anyListeners.delete(listener);
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      timer = undefined;
      listeners.clear();
      accountListeners.clear();
      anyListeners.clear();
    },
  };
}
