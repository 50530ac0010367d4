import type { AuditLog } from '../audit/index.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Grip } from '../platform/lease.js';

type Filter = Record<string, unknown>;
type Change = { remove: Filter } | { change: Filter; to: (now: Date) => Record<string, unknown> };

/**
 * What a backup brings back although it was used, ended or taken back since: by collection. Nothing of it may be good again.
 * A test sees to it that each collection stands here or in `KEPT`.
 */
export const VOIDED: Readonly<Record<string, readonly Change[]>> = {
  accounts: [
    // Whatever was signed before now is void, in whichever form it comes back.
    { change: {}, to: (now) => ({ $set: { 'standing.sessionsNotBefore': now } }) },
    {
      change: {
        $or: [{ 'standing.firstEnrolment': { $exists: true } }, { 'standing.keptSession': { $exists: true } }],
      },
      to: () => ({ $unset: { 'standing.firstEnrolment': '', 'standing.keptSession': '' } }),
    },
    {
      change: { 'standing.suspension': { $exists: true }, 'standing.suspension.endedAt': { $exists: false } },
      to: (now) => ({ $set: { 'standing.suspension.endedAt': now } }),
    },
    // Counted anew without the recovery codes.
    { change: { 'coverage.methods': 'recovery_code' }, to: () => ({ $unset: { coverage: '' } }) },
  ],
  // Codes of a batch that is back may have been used since; factors that were not confirmed yet are begun anew.
  factors: [{ remove: { method: 'recovery_code' } }, { remove: { state: 'pending' } }],
  /** Sessions, grants, codes, tokens and sign-ins under way. */
  oidc: [{ remove: {} }],
  sessions: [{ remove: {} }],
  console_sessions: [{ remove: {} }],
  challenges: [{ remove: {} }],
  one_time_links: [{ remove: {} }],
  access_passes: [{ remove: {} }],
  app_challenges: [{ remove: {} }],
  app_pairings: [{ remove: {} }],
  idempotency_keys: [{ remove: {} }],
  recovery_requests: [{ change: { state: 'open' }, to: (now) => ({ $set: { state: 'superseded', changedAt: now } }) }],
  suspensions: [
    {
      change: { isOpen: true },
      to: (now) => ({ $set: { endedAt: now, end: 'administrator' }, $unset: { isOpen: '' } }),
    },
  ],
  // What is not sent yet carries links and codes that are void now, or was sent long ago.
  outbox: [{ remove: { kind: { $in: ['mail', 'factor'] }, status: { $in: ['due', 'sending'] } } }],
};

/** Data, history, counts and keys: as they were. */
export const KEPT = [
  'account_guards',
  'app_push_keys',
  'app_requests',
  'attempts',
  'audit_events',
  'clients',
  'demo_authenticator',
  'demo_mails',
  'health',
  'leases',
  'retention',
  'schema',
  'sign_in_days',
  'signing_keys',
  'sms_alerts',
  'sms_countries',
  'sms_former_numbers',
  'sms_messages',
  'sms_outbox',
  'sms_providers',
  'sms_usage',
  'webhook_deliveries',
  'webhooks',
] as const;

/** How many documents of each collection were voided. Doing it again does no harm. */
export async function voidAfterRestore(deps: {
  database: Database;
  clock: Clock;
  audit: Pick<AuditLog, 'record'>;
  fillAccounts(grip: Grip): Promise<void>;
}): Promise<Record<string, number>> {
  const { database, clock } = deps;
  const now = clock.now();
  const counts: Record<string, number> = {};
  for (const [name, changes] of Object.entries(VOIDED)) {
    const collection = database.collection(name);
    for (const change of changes) {
      const count =
        'remove' in change
          ? (await collection.deleteMany(change.remove)).deletedCount
          : (await collection.updateMany(change.change, change.to(now))).modifiedCount;
      counts[name] = Math.max(counts[name] ?? 0, count);
    }
  }
  await deps.fillAccounts({ keep: async () => {} });
  const details = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  await deps.audit.record({ type: 'sys_restored', actor: { type: 'operator' }, details });
  return counts;
}
