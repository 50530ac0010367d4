import { highest, type Level } from '../policy/levels.js';
import type { Factor, FactorRecord } from './contract.js';
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

/** Active records as the methods show them, in their order; empty ones are left out. */
export function summarise(methods: readonly Factor[], records: readonly FactorRecord[]): AccountMethod[] {
  const byMethod = new Map<string, FactorRecord[]>(methods.map(({ method }) => [method, []]));
  for (const record of records) byMethod.get(record.method)?.push(record);
  return methods
    .map((factor) => ({
      id: factor.method,
      kind: factor.kind,
      factors: factor.summarise(byMethod.get(factor.method) ?? []),
    }))
    .filter((method) => method.factors.length > 0);
}

/** Reading what an account has enrolled. */
export function createListing({
  database,
  factors,
}: EngineParts): Pick<Engine, 'forAccount' | 'forSignIn' | 'levels' | 'enrollable' | 'forms' | 'find'> {
  const collection = factorCollection(database);
  const methods = [...factors.values()];
  const ids = methods.map(({ method }) => method);

  const activeOf = (accountId: string): Promise<FactorRecord[]> =>
    collection
      .find({ accountId, method: { $in: ids }, state: 'active' })
      .sort({ createdAt: 1 })
      .toArray();

  const forAccount: Engine['forAccount'] = async (accountId) =>
    summarise(
      methods,
      (await activeOf(accountId)).filter(({ companionOf }) => !companionOf),
    );

  return {
    forAccount,
    async forSignIn(accountId) {
      const records = await activeOf(accountId);
      const labels = new Map(records.map(({ _id, label }) => [_id, label]));
      return summarise(
        methods,
        records.flatMap((record) => {
          if (!record.companionOf) return record;
          // Whoever has renamed the device looks for its new name.
          const label = labels.get(record.companionOf.id);
          return label === undefined ? [] : { ...record, label };
        }),
      );
    },
    levels: async (accountId) => levelsOf(await forAccount(accountId)),
    enrollable: () =>
      methods.map(({ method, kind, inSetUp, isTried, send, maximumPerAccount }) => ({
        id: method,
        kind,
        sends: send !== undefined,
        ...(maximumPerAccount === undefined ? {} : { maximumPerAccount }),
        ...(inSetUp ? { inSetUp } : {}),
        ...(isTried ? { isTried } : {}),
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
