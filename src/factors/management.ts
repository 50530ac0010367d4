import type { Engine, EngineParts } from './engine-contract.js';
import { normaliseLabel } from './label.js';
import { factorCollection } from './store.js';

/** Changing what is enrolled. Whether the person proved enough to do so is the caller's to decide. */
export function createManagement({
  audit,
  clock,
  database,
  factors,
  notifier,
}: EngineParts): Pick<Engine, 'rename' | 'remove'> {
  const collection = factorCollection(database);

  return {
    async rename(account, factorId, rawLabel, origin) {
      const label = normaliseLabel(rawLabel);
      if (!label) return 'malformed';
      const renamed = await collection.findOneAndUpdate(
        { _id: factorId, accountId: account.id, state: 'active' },
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
      const found = await collection.findOne(
        { _id: factorId, accountId: account.id, state: 'active' },
        { projection: { method: 1, label: 1 } },
      );
      const factor = found && factors.get(found.method);
      if (!found || !factor || !(await factor.remove(account.id, factorId))) return 'not_found';
      const { method, label } = found;
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
