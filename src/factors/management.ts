import type { Engine, EngineParts } from './engine-contract.js';
import { normaliseLabel } from './label.js';
import { factorCollection, NO_COMPANION } from './store.js';

/** Changing what is enrolled. Whether the person proved enough to do so is the caller's to decide. */
export function createManagement({
  audit,
  clock,
  database,
  factors,
  notifier,
}: EngineParts): Pick<Engine, 'rename' | 'remove' | 'discard'> {
  const collection = factorCollection(database);

  const take = async (accountId: string, factorId: string) => {
    const found = await collection.findOne(
      { _id: factorId, accountId, state: 'active', ...NO_COMPANION },
      { projection: { method: 1, label: 1 } },
    );
    const factor = found && factors.get(found.method);
    return found && factor && (await factor.remove(accountId, factorId)) ? found : undefined;
  };

  return {
    discard: async (accountId, factorId) => (await take(accountId, factorId)) !== undefined,

    async rename(account, factorId, rawLabel, origin) {
      const label = normaliseLabel(rawLabel);
      if (!label) return 'malformed';
      const renamed = await collection.findOneAndUpdate(
        { _id: factorId, accountId: account.id, state: 'active', ...NO_COMPANION },
        { $set: { label } },
        { projection: { method: 1 } },
      );
      if (!renamed) return 'not_found';
      await audit.record({
        type: 'factor_renamed',
        accountId: account.id,
        actor: { type: 'account', id: account.id },
        origin,
        details: { method: renamed.method, factorId, label },
      });
      return 'renamed';
    },

    async remove(account, factorId, origin) {
      const removed = await take(account.id, factorId);
      if (!removed) return 'not_found';
      const { method, label } = removed;
      await audit.record({
        type: 'factor_removed',
        accountId: account.id,
        actor: { type: 'account', id: account.id },
        origin,
        details: { method, factorId, label },
      });
      await notifier.notify(account, 'factor_removed', { method, label, at: clock.now().toISOString() });
      return 'removed';
    },
  };
}
