/** What a new release changes in the stored data: each step once, by one node, beside nodes of the release before. */
export { MIGRATIONS, type MigrationServices, SCHEMA_VERSION } from './list.js';
export { createMigrations, type Migration, type Migrations } from './migrations.js';
export { admitRelease, SchemaTooNew } from './schema-version.js';
