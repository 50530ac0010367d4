import type { Clock } from '../../../src/platform/clock.js';
import type { Database } from '../../../src/platform/database.js';
import type { Logger } from '../../../src/platform/logger.js';

const COLLECTION = 'sms_providers';
/** How long a provider that failed is asked last, so that not everybody waits for its timeout. */
const AWAY_SECONDS = 60;
/** A moment more or less is not worth writing. */
const NOTED_FOR_MS = 1_000;

interface ProviderState {
  _id: string;
  awayUntil: Date;
}

/** Which providers failed a moment ago, known to all nodes. Neither function throws: a message goes out without this knowledge too. */
export interface Absences {
  /** Those among `names` that are away now. */
  among(names: readonly string[]): Promise<Set<string>>;
  note(name: string): Promise<void>;
}

export function createAbsences({
  clock,
  database,
  logger,
}: {
  clock: Clock;
  database: Database;
  logger: Logger;
}): Absences {
  const states = database.collection<ProviderState>(COLLECTION);
  /** What this process has noted. */
  const noted = new Map<string, Date>();
  const unknown = (error: unknown) => logger.warn({ err: error }, 'which text message providers are away is not known');
  return {
    async among(names) {
      try {
        const away = await states
          .find({ _id: { $in: [...names] }, awayUntil: { $gt: clock.now() } }, { projection: { _id: 1 } })
          .toArray();
        return new Set(away.map(({ _id }) => _id));
      } catch (error) {
        unknown(error);
        return new Set();
      }
    },

    async note(name) {
      const awayUntil = new Date(clock.now().getTime() + AWAY_SECONDS * 1000);
      if (awayUntil.getTime() - (noted.get(name)?.getTime() ?? 0) < NOTED_FOR_MS) return;
      try {
        await states.updateOne({ _id: name }, { $max: { awayUntil } }, { upsert: true });
        noted.set(name, awayUntil);
      } catch (error) {
        unknown(error);
      }
    },
  };
}
