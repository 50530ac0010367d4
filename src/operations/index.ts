/** Running it: health, metrics, migrations, retention, diagnosis, and the way back from a backup. */
export { createHealth, type Health, type HealthDeps } from './health.js';
