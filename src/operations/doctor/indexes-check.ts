import type { mongo } from 'mongoose';
import type { Database } from '../../platform/database.js';
import type { DeclaredIndex } from '../../platform/declared-indexes.js';
import { ERROR, type Finding, OK, WARNING } from '../../platform/finding.js';

/** What decides what an index finds and refuses; everything else is how MongoDB keeps it. */
const OPTIONS = ['unique', 'sparse', 'expireAfterSeconds', 'partialFilterExpression', 'collation', 'hidden'] as const;

/** In one form whichever way it came: the order of the keys counts, that of the options does not, and false is absent. */
const formOf = (index: Pick<DeclaredIndex, 'key'> & Partial<DeclaredIndex>): string =>
  JSON.stringify([Object.entries(index.key), OPTIONS.map((option) => index[option] || index[option] === 0 || null)]);

/** Holds the indexes that are there against those that a node makes when it starts. */
export async function checkIndexes(database: Database, declared: readonly DeclaredIndex[]): Promise<Finding[]> {
  const names = [...new Set(declared.map(({ collection }) => collection))].sort();
  const found = await Promise.all(
    names.map(async (name) => ({
      name,
      wanted: declared.filter(({ collection }) => collection === name),
      there: (await indexesOf(database, name)).filter(({ name: id }) => id !== '_id_'),
    })),
  );
  if (found.every(({ there }) => there.length === 0))
    return [WARNING('indexes: none yet: the first node that starts makes them')];
  const findings = found.flatMap(({ name, wanted, there }) => compare(name, wanted, there));
  return findings.length > 0 ? findings : [OK(`indexes: ${declared.length}, all as they should be`)];
}

const indexesOf = (database: Database, name: string): Promise<DeclaredIndex[]> =>
  database
    .collection(name)
    .listIndexes()
    .toArray()
    .then(
      (all) => all as DeclaredIndex[],
      // Nothing is stored there yet.
      (error: mongo.MongoServerError) => (error.codeName === 'NamespaceNotFound' ? [] : Promise.reject(error)),
    );

function compare(name: string, wanted: readonly DeclaredIndex[], there: readonly DeclaredIndex[]): Finding[] {
  const drop = (index: string): string => `db.getCollection('${name}').dropIndex('${index}')`;
  const accounted = new Set<string>();
  const findings = wanted.flatMap((index) => {
    const same = there.find((one) => one.name === index.name) ?? there.find((one) => formOf(one) === formOf(index));
    if (!same) return [ERROR(`indexes: ${name}.${index.name} is missing: start a node again, which makes it`)];
    accounted.add(same.name);
    if (same.name === index.name && formOf(same) === formOf(index)) return [];
    const how = same.name === index.name ? 'is not as it should be' : `is there as ${same.name}`;
    return [ERROR(`indexes: ${name}.${index.name} ${how}: ${drop(same.name)}, then start a node, which makes it`)];
  });
  const unknown = there.filter(({ name: id }) => !accounted.has(id));
  return [
    ...findings,
    ...unknown.map(({ name: id }) =>
      WARNING(
        `indexes: ${name}.${id} is none of ours, or another release's: each write pays for it. When nobody needs it: ${drop(id)}`,
      ),
    ),
  ];
}
