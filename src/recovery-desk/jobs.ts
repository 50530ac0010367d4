import type { Engine } from '../factors/index.js';
import type { Sessions } from '../sessions/index.js';
import type { DeskJobs } from './parts.js';

/** Does what a decision has left to do; doing it twice changes nothing. */
export const deskJobs = (deps: {
  sessions: Pick<Sessions, 'endSuspended'>;
  engine: Pick<Engine, 'discard'>;
}): { [Kind in keyof DeskJobs]: (job: DeskJobs[Kind]) => Promise<void> } => ({
  async suspension_over({ accountId, suspensionId, keepSession }) {
    await deps.sessions.endSuspended(accountId, suspensionId, keepSession);
  },
  async factors_revoked({ accountId, factorIds }) {
    for (const id of factorIds) await deps.engine.discard(accountId, id);
  },
});
