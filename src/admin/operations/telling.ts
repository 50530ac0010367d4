import type { Audit, AuditEventType } from '../../audit/contract.js';
import { type AnnouncementType, type Announcer, factsOf } from '../../notifications/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Unit } from '../../platform/database.js';
import type { DeskActor } from '../../recovery-desk/contract.js';

/** Writes down what an administrator did, and has it told where it is to be told, in one unit with the change itself. */
export type Tell = (
  event: {
    type: AuditEventType;
    /** Absent: nobody outside hears of it. */
    announcedAs?: AnnouncementType;
    accountId?: string;
    clientId?: string;
    by: DeskActor;
    /** Ids and words of closed lists. */
    facts?: Record<string, string | number | boolean | string[]>;
  },
  unit?: Unit,
) => Promise<void>;

export const createTell =
  ({ audit, announcer, clock }: { audit: Audit; announcer: Announcer; clock: Clock }): Tell =>
  async ({ type, announcedAs, accountId, clientId, by, facts = {} }, unit) => {
    await audit.record(
      {
        type,
        actor: { type: by.type, ...(by.id ? { id: by.id } : {}) },
        ...(accountId ? { accountId } : {}),
        ...(clientId ? { clientId } : {}),
        ...(by.origin ? { origin: by.origin } : {}),
        ...(Object.keys(facts).length > 0 ? { details: facts } : {}),
      },
      unit,
    );
    if (!announcedAs || !accountId) return;
    await announcer.announce(
      { type: announcedAs, accountId, at: clock.now().toISOString(), facts: factsOf(facts, by) },
      unit,
    );
  };
