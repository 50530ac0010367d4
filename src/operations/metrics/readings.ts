import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../factors/index.js';
import type { EventStreams } from '../../http/index.js';
import type { Outbox } from '../../notifications/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { RecoveryDesk } from '../../recovery-desk/index.js';

/** What stands in the database, for all nodes; ages in seconds. */
export interface Readings {
  outbox: { lanes: { lane: string; due: number; overdueSeconds: number }[]; dead: number };
  recovery: { open: number; oldestSeconds: number };
  /** In the currency of the budget; absent where no texts are sent. */
  sms?: { messages: number; messagesLimit: number; amount: number; amountLimit?: number; isExhausted: boolean };
  /** Of this node. */
  streams: number;
}

export interface ReadingsDeps {
  outbox: Pick<Outbox, 'depth'>;
  desk: Pick<RecoveryDesk, 'waiting'>;
  engine: Pick<Engine, 'delivery'>;
  streams: Pick<EventStreams, 'count'>;
  clock: Clock;
  logger: Logger;
}

/** However often somebody asks, the database is asked this often. */
const FRESH_MS = 10_000;
/** A scrape waits no longer: the numbers of this process are worth having while the database is away. */
const WITHIN_MS = 3_000;
const MILLIONTHS = 1_000_000;

/** Counts along indexes, kept for some seconds; undefined while the database does not answer. */
export function createReadings(deps: ReadingsDeps): () => Promise<Readings | undefined> {
  const { clock, logger } = deps;
  let latest: { at: number; readings: Promise<Readings | undefined> } | undefined;

  const age = (since: Date | undefined): number =>
    since ? Math.max(0, (clock.now().getTime() - since.getTime()) / 1000) : 0;

  const read = async (): Promise<Readings> => {
    const [outbox, recovery, report] = await Promise.all([
      deps.outbox.depth(),
      deps.desk.waiting(),
      deps.engine.delivery('sms')?.report(1),
    ]);
    const budget = report?.budget;
    return {
      outbox: {
        dead: outbox.dead,
        lanes: outbox.lanes.map(({ lane, due, firstDueAt }) => ({ lane, due, overdueSeconds: age(firstDueAt) })),
      },
      recovery: { open: recovery.open, oldestSeconds: age(recovery.oldest) },
      streams: deps.streams.count(),
      ...(budget
        ? {
            sms: {
              messages: budget.messages,
              messagesLimit: budget.messagesLimit,
              amount: budget.amount / MILLIONTHS,
              isExhausted: budget.isExhausted,
              ...(budget.amountLimit === undefined ? {} : { amountLimit: budget.amountLimit / MILLIONTHS }),
            },
          }
        : {}),
    };
  };

  return async () => {
    const now = performance.now();
    if (!latest || now - latest.at > FRESH_MS) {
      const readings = read().catch((err: unknown) => {
        logger.warn({ err }, 'metrics of the database not read');
        latest = undefined;
        return undefined;
      });
      latest = { at: now, readings };
    }
    return Promise.race([latest.readings, sleep(WITHIN_MS, undefined, { ref: false })]);
  };
}
