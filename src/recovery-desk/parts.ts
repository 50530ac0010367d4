import type { Standings } from '../accounts/index.js';
import type { Audit, AuditEvent, AuditEventType } from '../audit/contract.js';
import type { Engine } from '../factors/index.js';
import { type AnnouncementType, type Announcer, factsOf } from '../notifications/index.js';
import type { Clock } from '../platform/clock.js';
import type { Database, Unit } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { Throttle } from '../throttle/contract.js';
import type { DeskActor } from './contract.js';

/** What is to be done after a decision, whatever happens to the node that took it. */
export interface DeskJobs {
  /** Ends what a suspension let in, but for the session that was raised. */
  suspension_over: { accountId: string; suspensionId: string; keepSession?: string };
  /** Removes factors. */
  factors_revoked: { accountId: string; factorIds: string[] };
}

export interface DeskParts {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  standings: Standings;
  engine: Pick<Engine, 'forAccount' | 'discard' | 'cancel'>;
  audit: Audit;
  throttle: Throttle;
  announcer: Announcer;
  /** Stores a job with the decision it belongs to; it is done soon after, on whichever node. */
  enqueue<Kind extends keyof DeskJobs>(kind: Kind, job: DeskJobs[Kind], unit: Unit): Promise<void>;
  /** How many administrators hear of a request of this account. */
  countAdministrators(accountId: string): Promise<number>;
  /** Lengths that may be chosen, hours. */
  suspensionHours: readonly number[];
}

/** Writes one event down and announces it under the same name, in one unit with what it tells of. */
export const tell = async (
  { audit, announcer, clock }: Pick<DeskParts, 'audit' | 'announcer' | 'clock'>,
  event: {
    type: AuditEventType & AnnouncementType;
    accountId: string;
    by: DeskActor;
    /** Ids, times and words of closed lists: they leave the house with webhooks. */
    facts: Record<string, string | number | boolean | string[]>;
    /** What stays in the audit. */
    details?: Record<string, string | number | boolean | string[]>;
    clientId?: string;
    sessionUid?: string;
  },
  unit?: Unit,
): Promise<void> => {
  const { type, accountId, by, facts, details, clientId, sessionUid } = event;
  await audit.record(
    {
      type,
      accountId,
      actor: actorOf(by),
      ...(by.origin ? { origin: by.origin } : {}),
      ...(clientId ? { clientId } : {}),
      ...(sessionUid ? { sessionUid } : {}),
      details: { ...facts, ...details },
    },
    unit,
  );
  await announcer.announce({ type, accountId, at: clock.now().toISOString(), facts: factsOf(facts, by) }, unit);
};

export const actorOf = ({ type, id }: DeskActor): AuditEvent['actor'] => ({ type, ...(id ? { id } : {}) });

export const themselves = (accountId: string, origin: DeskActor['origin']): DeskActor => ({
  type: 'account',
  id: accountId,
  ...(origin ? { origin } : {}),
});

export const ITSELF: DeskActor = { type: 'system' };
