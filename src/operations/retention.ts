import type { AuditRetention } from '../audit/index.js';
import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { createLease } from '../platform/lease.js';
import type { Random } from '../platform/random.js';
import type { RecoveryDesk } from '../recovery-desk/index.js';

export interface RetentionSettings {
  /** How long events of the audit are kept. */
  auditDays: number;
  /** How long it is kept from which IP address something came. */
  addressDays: number;
}

const DAY_SECONDS = 86_400;
const LEASE_SECONDS = 60;
/** So that nothing else waits long for the collection. */
const BATCH = 500;
/** What one sweep takes on; the rest waits for the next. */
const BATCHES = 200;

interface ProgressDocument {
  _id: 'addresses';
  /** The last event whose address is gone. */
  through: string;
}

export interface Retention {
  /** Forgets what has been kept long enough, on one node at a time. False when another one is at it. */
  sweep(): Promise<boolean>;
}

export function createRetention(deps: {
  database: Database;
  clock: Clock;
  random: Random;
  settings: RetentionSettings;
  audit: AuditRetention;
  desk: Pick<RecoveryDesk, 'forgetAddresses'>;
}): Retention {
  const { clock, settings, audit, desk } = deps;
  const progress = deps.database.collection<ProgressDocument>('retention');
  const lease = createLease(deps, 'retention', LEASE_SECONDS);
  const before = (days: number): Date => inSeconds(clock.now(), -days * DAY_SECONDS);

  return {
    sweep: () =>
      lease.hold(async (grip) => {
        const inBatches = async (step: () => Promise<boolean>): Promise<void> => {
          for (let batches = 0; batches < BATCHES; batches += 1) {
            await grip.keep();
            if (!(await step())) return;
          }
        };
        await inBatches(async () => (await audit.removeBefore(before(settings.auditDays), BATCH)) === BATCH);
        let through = (await progress.findOne({ _id: 'addresses' }))?.through ?? '';
        await inBatches(async () => {
          const last = await audit.forgetAddresses(through, before(settings.addressDays), BATCH);
          if (!last) return false;
          through = last;
          await progress.updateOne({ _id: 'addresses' }, { $max: { through } }, { upsert: true });
          return true;
        });
        await inBatches(async () => (await desk.forgetAddresses(before(settings.addressDays), BATCH)) === BATCH);
      }),
  };
}
