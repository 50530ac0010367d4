import { type ChangeWatcher, createChangeWatcher } from '../platform/change-watcher.js';
import { Challenges } from './challenges.js';
import type { Engine, EngineParts } from './engine-contract.js';
import { createPresence } from './presence.js';

/** People look at two screens at once here: half of what the recovery desk takes. */
const TICK_MS = 250;

/** Waiting for what happens elsewhere: one query per tick, node and method, however many pages wait. */
export function createWatching(parts: EngineParts): Pick<Engine, 'watched' | 'listen'> {
  const challenges = new Challenges(parts);
  const presence = createPresence(parts);
  const watchers = new Map<string, ChangeWatcher>();
  for (const { watch } of parts.factors.values()) {
    if (watch) watchers.set(watch.collection, createChangeWatcher({ ...parts, ...watch, tickMs: TICK_MS }));
  }
  return {
    async watched({ cid, account }, methodId) {
      const factor = parts.factors.get(methodId);
      const watch = factor?.watch;
      const watcher = watch && watchers.get(watch.collection);
      if (!watch || !watcher || !account.active) return undefined;
      const key = { cid, accountId: account.id, method: methodId };
      const challenge = factor.memory ? { ...key, state: {} } : (await challenges.find(key)).challenge;
      const watched = await watch.of(challenge);
      return (
        watched && {
          changedAt: watched.changedAt,
          isAnswered: watched.status === watch.answered,
          onChange: (since, heard) => watcher.onChange(watched.id, since, (status) => heard(status === watch.answered)),
        }
      );
    },

    listen(methodId, { accountId, factorId }, { changed, revoked }) {
      const collection = parts.factors.get(methodId)?.watch?.collection ?? '';
      const stops = [watchers.get(collection)?.onAccount(accountId, changed), presence.onGone(factorId, revoked)];
      return () => {
        for (const stop of stops) stop?.();
      };
    },
  };
}
