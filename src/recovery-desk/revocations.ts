import type { Unit } from '../platform/database.js';
import type { DeskActor } from './contract.js';
import { type DeskParts, tell } from './parts.js';

/** Factors that an administrator takes away: written down with the decision, then done, then done again if this node was lost. */
export interface Revocations {
  /** @returns those of `factorIds` that the account has. */
  writeIn(unit: Unit, accountId: string, factorIds: readonly string[], by: DeskActor): Promise<string[]>;
  /** Does it now; the same as the job does a little later. */
  carryOut(accountId: string, factorIds: readonly string[]): Promise<void>;
}

export function createRevocations(parts: DeskParts): Revocations {
  return {
    async writeIn(unit, accountId, factorIds, by) {
      if (factorIds.length === 0) return [];
      const methods = await parts.engine.forAccount(accountId);
      const revoked = methods.flatMap(({ factors }) => factors).filter(({ id }) => factorIds.includes(id));
      for (const { id, method, label } of revoked) {
        const facts = { factorId: id, method };
        await tell(parts, { type: 'factor_revoked', accountId, by, facts, details: { label } }, unit);
      }
      const ids = revoked.map(({ id }) => id);
      if (ids.length > 0) await parts.enqueue('factors_revoked', { accountId, factorIds: ids }, unit);
      return ids;
    },

    async carryOut(accountId, factorIds) {
      for (const id of factorIds) await parts.engine.discard(accountId, id);
    },
  };
}
