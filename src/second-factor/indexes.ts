import { ensureLinkIndexes } from '../accounts/index.js';
import { ensureIndexes as ensureAuditIndexes } from '../audit/index.js';
import { ensureIndexes as ensureFactorIndexes } from '../factors/index.js';
import type { EnsureIndexes } from '../platform/database.js';
import { ensureIndexes as ensureDeskIndexes } from '../recovery-desk/index.js';
import { ensureIndexes as ensureSessionIndexes } from '../sessions/index.js';
import { ensureIndexes as ensureThrottleIndexes } from '../throttle/index.js';

/** Indexes of everything the second factor keeps; before the first request of a new version. */
export const ensureIndexes: EnsureIndexes = async (database) => {
  await Promise.all(
    [
      ensureAuditIndexes,
      ensureDeskIndexes,
      ensureFactorIndexes,
      ensureLinkIndexes,
      ensureSessionIndexes,
      ensureThrottleIndexes,
    ].map((ensure) => ensure(database)),
  );
};
