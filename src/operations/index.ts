/** Running it: health, metrics, migrations, retention, diagnosis, and the way back from a backup. */
export { KEPT, VOIDED, voidAfterRestore } from './after-restore.js';
export { createHealth, type Health, type HealthDeps } from './health.js';
export { createRetention, type Retention, type RetentionSettings } from './retention.js';
export { runningServers, serverAppName } from './running-servers.js';
