import type { mongo } from 'mongoose';
import { connectDatabase, type Database } from '../../src/platform/database.js';

/** Housekeeping of the driver and of the connection: no part of what a request costs. */
const NOT_A_CALL = new Set(['hello', 'ping', 'endSessions', 'createIndexes', 'isMaster', 'ismaster']);

interface Update {
  q: Record<string, unknown>;
}

/** Which of the provider's models, or which subject, a command is about: the first part of its `_id`. */
function subjectOf(command: mongo.Document): string {
  const filter = (command.filter ??
    command.query ??
    (command.updates as Update[] | undefined)?.[0]?.q ??
    (command.deletes as Update[] | undefined)?.[0]?.q ??
    (command.documents as Record<string, unknown>[] | undefined)?.[0] ??
    {}) as Record<string, unknown>;
  if (command.insert === 'audit_events') return ` ${String(filter.type)}`;
  if ('ids' in filter) return ' Session';
  const [subject = ''] = /^[A-Za-z]+(?=:)/.exec(String(filter._id ?? '')) ?? [];
  return subject && ` ${subject}`;
}

/** A command by what it does, to which collection and about what: `find oidc Interaction`. */
export const nameOf = ({ commandName, command }: mongo.CommandStartedEvent): string =>
  `${commandName} ${String(command[commandName])}${subjectOf(command)}`;

/** A connection that reports every command it sends. */
export interface WatchedDatabase extends Database {
  uri: string;
  name: string;
  /** Names of the calls since the last time it was asked. */
  take(): string[];
  drop(): Promise<void>;
}

export async function watchedDatabase(name: string): Promise<WatchedDatabase> {
  const uri = process.env.TEST_MONGODB_URI ?? '';
  const database = await connectDatabase(uri, { name, watchCommands: true });
  let calls: string[] = [];
  const count = (event: mongo.CommandStartedEvent): void => {
    if (!NOT_A_CALL.has(event.commandName)) calls.push(nameOf(event));
  };
  for (const client of database.clients) client.on('commandStarted', count);
  return {
    ...database,
    uri,
    name,
    take() {
      const taken = calls;
      calls = [];
      return taken;
    },
    async drop() {
      await database.connection.dropDatabase();
      await database.close();
    },
  };
}
