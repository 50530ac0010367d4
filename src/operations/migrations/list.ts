import type { Grip } from '../../platform/lease.js';
import type { Migration } from './migrations.js';

/** What the steps work with. */
export interface MigrationServices {
  /** Gives accounts what they are found and counted by. */
  fillAccounts(grip: Grip): Promise<void>;
}

/** In the order of their versions, which count up by one; a step that has been released is never changed. */
export const MIGRATIONS: readonly Migration<MigrationServices>[] = [
  { version: 1, name: 'accounts are found and counted', expand: ({ fillAccounts }, grip) => fillAccounts(grip) },
];

/** What this release makes of the stored data. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.version ?? 0;
