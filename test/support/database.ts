import { randomBytes } from 'node:crypto';
import { connectDatabase, type Database } from '../../src/platform/database.js';

/** A database of its own on the run's MongoDB, dropped by `drop`. `uri` and `name` let a second process or connection in. */
export async function testDatabase(
  uri = process.env.TEST_MONGODB_URI,
): Promise<Database & { uri: string; name: string; drop(): Promise<void> }> {
  if (!uri) throw new Error('TEST_MONGODB_URI is not set: run through jest');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const database = await connectDatabase(uri, { name });
  return {
    ...database,
    uri,
    name,
    drop: async () => {
      await database.connection.dropDatabase();
      await database.close();
    },
  };
}
