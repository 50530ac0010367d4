import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { RequestWatcher } from './contract.js';

/** Nodes' clocks may differ by less than this, and a change may take this long from its time to its commit. */
const TOLERANCE_SECONDS = 30;
const TICK_MS = 500;

interface Watched {
  _id: string;
  changedAt: Date;
}

interface Listener {
  since: number;
  heard: () => void;
}

/**
 * Looks for requests that were filed or changed lately: one query along `{ changedAt: 1 }` per tick, only while somebody
 * listens, and the same for one listener or thousands. A database that is away for a while is waited for.
 */
export function createRequestWatcher({
  database,
  clock,
  tickMs = TICK_MS,
}: {
  database: Database;
  clock: Clock;
  tickMs?: number;
}): RequestWatcher {
  const requests = database.collection<Watched>('recovery_requests');
  const listeners = new Map<string, Set<Listener>>();
  const anyListeners = new Set<() => void>();
  /** What the last tick saw, so that the next knows what is new; undefined before the first. */
  let seen: Map<string, number> | undefined;
  let lookedAt: Date | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const isHeardBySomebody = (): boolean => listeners.size > 0 || anyListeners.size > 0;

  const tellEach = ({ _id, changedAt }: Watched): void => {
    const changed = changedAt.getTime();
    for (const listener of listeners.get(_id) ?? []) {
      if (listener.since === changed) continue;
      drop(_id, listener);
      listener.heard();
    }
  };

  const look = async (): Promise<void> => {
    const now = clock.now();
    const from = inSeconds(lookedAt ?? now, -TOLERANCE_SECONDS);
    const found = await requests.find({ changedAt: { $gt: from } }, { projection: { changedAt: 1 } }).toArray();
    lookedAt = now;
    for (const request of found) tellEach(request);
    const before = seen;
    seen = new Map(found.map(({ _id, changedAt }) => [_id, changedAt.getTime()]));
    if (!before) return;
    const isNews = [...seen].some(([id, changedAt]) => before.get(id) !== changedAt);
    if (isNews) for (const heard of anyListeners) heard();
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

  const drop = (requestId: string, listener: Listener): void => {
    const group = listeners.get(requestId);
    group?.delete(listener);
    if (group?.size === 0) listeners.delete(requestId);
  };

  return {
    onChange(requestId, changedAt, heard) {
      const listener = { since: changedAt.getTime(), heard };
      const group = listeners.get(requestId) ?? new Set();
      listeners.set(requestId, group.add(listener));
      run();
      return () => drop(requestId, listener);
    },
    onAny(heard) {
      // A function of its own for each call: the same one may be given twice.
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
      anyListeners.clear();
    },
  };
}
