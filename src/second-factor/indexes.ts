import { ensureLinkIndexes } from '../accounts/index.js';
import { ensureIndexes as ensureAuditIndexes } from '../audit/index.js';
import type { FactorMethod } from '../factors/contract.js';
import { ensureIndexes as ensureFactorIndexes } from '../factors/index.js';
import type { Database } from '../platform/database.js';
import { ensureIndexes as ensureDeskIndexes } from '../recovery-desk/index.js';
import { ensureIndexes as ensureSessionIndexes } from '../sessions/index.js';
import { ensureIndexes as ensureThrottleIndexes } from '../throttle/index.js';

/**
 * Indexes of everything the second factor keeps; before the first request of a new version.
 * @param methods that are offered: some keep more than their factors.
 */
export async function ensureIndexes(database: Database, methods: readonly FactorMethod[] = []): Promise<void> {
  await Promise.all(
    [
      ensureAuditIndexes,
      ensureDeskIndexes,
      ensureFactorIndexes,
      ensureLinkIndexes,
      ensureSessionIndexes,
      ensureThrottleIndexes,
      ...methods.map((method) => (one: Database) => method.ensureIndexes?.(one)),
    ].map((ensure) => ensure(database)),
  );
}
