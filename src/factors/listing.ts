import { highest, type Level } from '../policy/levels.js';
import type { FactorRecord } from './contract.js';
import type { AccountMethod, Engine, EngineParts } from './engine-contract.js';
import { factorCollection } from './store.js';

/** The level that each active factor can give. */
export const levelsOf = (methods: readonly AccountMethod[]): Level[] =>
  methods.flatMap(({ factors }) => factors.map(({ level }) => level));

/** What they amount to: whether the second step is covered, how far it reaches, and by what. */
export const coverageOf = (
  methods: readonly AccountMethod[],
): { covered: boolean; level: Level; methods: string[] } => ({
  covered: methods.some(({ kind }) => kind === 'primary'),
  level: highest(...levelsOf(methods)),
  methods: methods.map(({ id }) => id),
});

/** Reading what an account has enrolled. */
export function createListing({
  database,
  factors,
}: EngineParts): Pick<Engine, 'forAccount' | 'levels' | 'enrollable' | 'forms' | 'find'> {
  const collection = factorCollection(database);
  const methods = [...factors.values()];
  const ids = methods.map(({ method }) => method);

  const forAccount: Engine['forAccount'] = async (accountId) => {
    const records = await collection
      .find({ accountId, method: { $in: ids }, state: 'active' })
      .sort({ createdAt: 1 })
      .toArray();
    const byMethod = new Map<string, FactorRecord[]>(ids.map((id) => [id, []]));
    for (const record of records) byMethod.get(record.method)?.push(record);
    return methods
      .map((factor) => ({
        id: factor.method,
        kind: factor.kind,
        factors: factor.summarise(byMethod.get(factor.method) ?? []),
      }))
      .filter((method) => method.factors.length > 0);
  };

  return {
    forAccount,
    levels: async (accountId) => levelsOf(await forAccount(accountId)),
    enrollable: () =>
      methods.map(({ method, kind, inSetUp, send, maximumPerAccount }) => ({
        id: method,
        kind,
        sends: send !== undefined,
        replaces: maximumPerAccount === undefined,
        ...(inSetUp ? { inSetUp } : {}),
      })),
    forms: () =>
      methods.map(({ method, kind, evidenceFields, enrolmentFields }) => ({
        method,
        kind,
        evidenceFields,
        enrolmentFields,
      })),
    find: async (accountId, factorId) => {
      for (const { kind, factors: summaries } of await forAccount(accountId)) {
        const found = summaries.find(({ id }) => id === factorId);
        if (found) return { ...found, kind };
      }
      return undefined;
    },
  };
}
