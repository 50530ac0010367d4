import type { mongo } from 'mongoose';
import type { Database, EnsureIndexes } from './database.js';

/** One index as the code wants it: keys in their order, and its options. */
export interface DeclaredIndex extends mongo.IndexDescription {
  collection: string;
  name: string;
  key: Record<string, 1 | -1>;
}

/** What `ensure` would make, told without a database. */
export async function declaredIndexes(ensure: EnsureIndexes): Promise<DeclaredIndex[]> {
  const declared: DeclaredIndex[] = [];
  const note = (collection: string, { key, ...options }: mongo.IndexDescription): void => {
    const fields = key as DeclaredIndex['key'];
    const name = options.name ?? Object.entries(fields).flat().join('_');
    declared.push({ ...options, collection, key: fields, name });
  };
  const collection = (name: string) => ({
    createIndex: async (key: mongo.IndexDescription['key'], options: mongo.CreateIndexesOptions = {}) =>
      note(name, { key, ...options }),
    createIndexes: async (indexes: readonly mongo.IndexDescription[]) => {
      for (const index of indexes) note(name, index);
    },
  });
  await ensure({ collection } as unknown as Database);
  return declared;
}
