import type { Factor, FactorRecord } from './contract.js';
import type { Engine, EngineParts, WantedFactor } from './engine-contract.js';
import { normaliseLabel, unusedLabel } from './label.js';
import { summarise } from './listing.js';
import { factorCollection } from './store.js';

/** Factors of an account that is only being made, as the system it comes from has kept them. */
export function createAdoption({
  clock,
  database,
  factors,
  random,
}: EngineParts): Pick<Engine, 'adopt' | 'keepAdopted' | 'heldElsewhere'> {
  const collection = factorCollection(database);
  const methods = [...factors.values()];

  const obstacle = (factor: Factor | undefined, { method }: WantedFactor, before: readonly FactorRecord[]) => {
    if (!factor?.adopt) return `the method ${method} is not offered here`;
    if (factor.kind !== 'primary' && !before.some((one) => factors.get(one.method)?.kind === 'primary'))
      return 'needs another login method beside it';
    const own = before.filter((one) => one.method === method);
    return own.length >= (factor.maximumPerAccount ?? 1) ? 'is more than an account may have' : undefined;
  };

  return {
    async adopt(accountId, wanted) {
      const now = clock.now();
      const records: FactorRecord[] = [];
      const problems: { index: number; reason: string }[] = [];
      for (const [index, one] of wanted.entries()) {
        const factor = factors.get(one.method);
        const reason = obstacle(factor, one, records);
        const factorId = random.token(128);
        const adopted = reason
          ? ({ status: 'refused', reason } as const)
          : await (factor as Required<Factor>).adopt({ accountId, factorId }, one.text);
        if (adopted.status === 'refused') {
          problems.push({ index, reason: adopted.reason });
          continue;
        }
        const { data, label, exclusive } = adopted;
        records.push({
          _id: factorId,
          accountId,
          method: one.method,
          state: 'active',
          label: unusedLabel(normaliseLabel(one.label ?? '') ?? label, records),
          ...(exclusive === undefined ? {} : { exclusive }),
          createdAt: now,
          activatedAt: now,
          data,
        });
      }
      return { records, methods: summarise(methods, records), problems };
    },

    async keepAdopted(records, { session }) {
      if (records.length > 0) await collection.insertMany([...records], { session });
    },

    async heldElsewhere(records) {
      const held = new Set<string>();
      for (const method of new Set(records.map((one) => one.method))) {
        const own = records.filter((one) => one.method === method && one.exclusive !== undefined);
        if (own.length === 0) continue;
        const exclusive = { $in: own.map((one) => one.exclusive ?? '') };
        const taken = await collection.find({ method, exclusive }, { projection: { exclusive: 1 } }).toArray();
        const values = new Set(taken.map((one) => one.exclusive));
        for (const one of own) if (values.has(one.exclusive)) held.add(one._id);
      }
      return held;
    },
  };
}
