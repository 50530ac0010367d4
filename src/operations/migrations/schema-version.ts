import type { Database } from '../../platform/database.js';

interface VersionDocument {
  _id: string;
  version: number;
}

/** The stored data are beyond what this release knows. */
export class SchemaTooNew extends Error {
  constructor(stored: number, known: number) {
    super(
      `the database is of schema version ${stored}: this release knows version ${known} and runs beside ${known + 1} at most. ` +
        'Start the newer release again, or restore a backup from before it',
    );
    this.name = 'SchemaTooNew';
  }
}

/**
 * Whether a release may run on this database, asked before anything else of it is touched: with what it knows itself, with older
 * data, and beside the release that comes after it. From then on the release two before it is refused.
 * @param version what the release makes of the data.
 * @throws SchemaTooNew
 */
export async function admitRelease(database: Database, version: number): Promise<void> {
  const schema = database.collection<VersionDocument>('schema');
  const stored = await schema.findOneAndUpdate(
    { _id: 'version' },
    { $max: { version } },
    { upsert: true, returnDocument: 'after' },
  );
  const reached = stored?.version ?? version;
  if (reached > version + 1) throw new SchemaTooNew(reached, version);
}
