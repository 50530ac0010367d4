import type { Database } from '../platform/database.js';

/** What a server's connections call themselves, which MongoDB shows to whoever looks at them. */
export const serverAppName = (databaseName: string): string => `countersign ${databaseName}`;

/**
 * From which addresses servers are connected to this database at the moment. One that was killed is not among them; one whose
 * machine vanished may be, until MongoDB gives its connections up.
 * @throws when the database does not show connections to this user.
 */
export async function runningServers({ connection }: Database): Promise<string[]> {
  const appName = serverAppName(connection.name);
  // Those of our own user, which needs no right: a server has the same.
  const connections = await connection
    .getClient()
    .db('admin')
    .aggregate<{ client?: string }>([{ $currentOp: { idleConnections: true } }, { $match: { appName } }])
    .toArray();
  return [...new Set(connections.map(({ client = 'unknown' }) => client.replace(/:\d+$/, '')))].sort();
}
