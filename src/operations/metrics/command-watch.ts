import type { Database } from '../../platform/database.js';

/** Hears of what goes on between us and MongoDB. */
export interface CommandWatch {
  commandEnded(command: string, seconds: number, isOk: boolean): void;
  /** @param seconds how long somebody waited for it. */
  connectionTaken(seconds: number): void;
  connectionBack(): void;
  connectionRefused(): void;
}

/** Listens to the driver; of commands it tells only when the database was connected with `watchCommands`. */
export function watchCommands({ clients }: Database, watch: CommandWatch): void {
  for (const client of clients) {
    client.on('commandSucceeded', ({ commandName, duration }) =>
      watch.commandEnded(commandName, duration / 1000, true),
    );
    client.on('commandFailed', ({ commandName, duration }) => watch.commandEnded(commandName, duration / 1000, false));
    client.on('connectionCheckedOut', ({ durationMS }) => watch.connectionTaken(durationMS / 1000));
    client.on('connectionCheckedIn', () => watch.connectionBack());
    client.on('connectionCheckOutFailed', () => watch.connectionRefused());
  }
}
