import { type FactorDeps, inSeconds, isDuplicateKey } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import { alertCollection } from './documents.js';

const KEPT_SECONDS = 3 * 86_400;
const PERCENT = { sms_budget_warned: 80, sms_budget_exhausted: 100 } as const;

export type Alert = (type: keyof typeof PERCENT, day: string) => Promise<void>;

/** Writes down and tells, in one unit with whatever it follows from. */
export const createTelling =
  ({ announcer, audit, clock }: Pick<FactorDeps, 'announcer' | 'audit' | 'clock'>) =>
  async (
    type: keyof typeof PERCENT | 'sms_country_closed',
    facts: Record<string, string | number>,
    unit: Unit,
  ): Promise<void> => {
    await audit.record({ type, actor: { type: 'system' }, details: facts }, unit);
    await announcer.announce({ type, at: clock.now().toISOString(), facts }, unit);
  };

/** Tells administrators about the budget, each thing once a day, by whichever node is first. It never stops what it tells of. */
export function createAlert(deps: Pick<FactorDeps, 'announcer' | 'audit' | 'clock' | 'database' | 'logger'>): Alert {
  const { clock, database, logger } = deps;
  const alerts = alertCollection(database);
  const tell = createTelling(deps);
  /** What this process knows to be told: so that not every message of the rest of the day asks. */
  const told = new Set<string>();

  return async (type, day) => {
    const _id = `${day}/${type}`;
    try {
      if (told.has(_id)) return;
      if (await alerts.findOne({ _id })) return void told.add(_id);
      await database.transaction(async (unit) => {
        await alerts.insertOne({ _id, expiresAt: inSeconds(clock.now(), KEPT_SECONDS) }, { session: unit.session });
        await tell(type, { day, percent: PERCENT[type] }, unit);
      });
    } catch (err) {
      if (!isDuplicateKey(err)) logger.error({ err, type }, 'administrators were not told');
    }
  };
}
