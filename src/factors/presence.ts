import type { Database } from '../platform/database.js';
import { factorCollection } from './store.js';

const TICK_MS = 1_000;

/** Notices that active factors are not there any more, whoever has removed them and at whichever node. */
export interface Presence {
  /** Calls back once. Returns how to stop. */
  onGone(factorId: string, gone: () => void): () => void;
}

/** One query along `_id` per tick and node, only while somebody listens. A database that is away for a while is waited for. */
export function createPresence({ database }: { database: Database }, tickMs = TICK_MS): Presence {
  const listeners = new Map<string, Set<() => void>>();
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const asked = [...listeners.keys()];
    const found = await factorCollection(database)
      .find({ _id: { $in: asked }, state: 'active' }, { projection: { _id: 1 } })
      .toArray();
    const present = new Set(found.map(({ _id }) => _id));
    for (const id of asked) {
      if (present.has(id)) continue;
      const group = listeners.get(id) ?? [];
      listeners.delete(id);
      for (const gone of group) gone();
    }
  };

  const run = (): void => {
    if (timer || listeners.size === 0) return;
    timer = setTimeout(async () => {
      await look().catch(() => {});
      timer = undefined;
      run();
    }, tickMs);
    timer.unref();
  };

  return {
    onGone(factorId, gone) {
      // A function of its own for each call: the same one may be given twice.
      const listener = (): void => gone();
      listeners.set(factorId, (listeners.get(factorId) ?? new Set()).add(listener));
      run();
      return () => {
        const group = listeners.get(factorId);
        group?.delete(listener);
        if (group?.size === 0) listeners.delete(factorId);
      };
    },
  };
}
