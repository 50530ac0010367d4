import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog } from '../../audit/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import { createLease, type Grip } from '../../platform/lease.js';
import type { Logger } from '../../platform/logger.js';
import type { Random } from '../../platform/random.js';

/**
 * What one release changes in the stored data, in two phases, so that nodes of it and of the release before run side by side.
 * Both are done while requests are served, and may be broken off and begun again at any point.
 */
export interface Migration<Services> {
  version: number;
  name: string;
  /** Adds what this release needs beside what the one before it uses. By the first node of this release. */
  expand(services: Services, grip: Grip): Promise<void>;
  /** Takes away what only the release before needed. By the first node of the NEXT release, beside which it cannot run any more. */
  contract?(services: Services, grip: Grip): Promise<void>;
}

export interface Migrations {
  /** Done when every step of this release is, by whichever node; or when `stop` is called. Never rejects. */
  finished: Promise<void>;
  /** Breaks off between two pieces of work; resolves when nothing is written any more. */
  stop(): Promise<void>;
}

/** One phase of one migration, as written down. */
interface StepDocument {
  _id: string;
  name: string;
  /** How often it was begun: more than once when a node was killed. */
  attempts: number;
  begunAt: Date;
  finishedAt?: Date;
}

/** After this long a runner that was killed is followed by another. */
const LEASE_SECONDS = 10;
/** How often a node that has to wait looks again. */
const RETRY_MS = 2_000;

export function createMigrations<Services>(deps: {
  database: Database;
  clock: Clock;
  random: Random;
  logger: Logger;
  audit: Pick<AuditLog, 'record'>;
  services: Services;
  migrations: readonly Migration<Services>[];
  retryMs?: number;
}): Migrations {
  const { database, clock, logger, audit, services, migrations, retryMs = RETRY_MS } = deps;
  const steps = database.collection<StepDocument>('schema');
  const lease = createLease(deps, 'migrations', LEASE_SECONDS);
  const stopping = new AbortController();
  const plan = planOf(migrations);

  const pending = async (): Promise<Step<Services>[]> => {
    const finished = await steps
      .find({ _id: { $in: plan.map(({ id }) => id) }, finishedAt: { $exists: true } })
      .project<{ _id: string }>({ _id: 1 })
      .toArray();
    const known = new Set(finished.map(({ _id }) => _id));
    return plan.filter(({ id }) => !known.has(id));
  };

  const carryOut = async ({ id, name, run }: Step<Services>, grip: Grip): Promise<void> => {
    const begunAt = clock.now();
    await steps.updateOne(
      { _id: id },
      { $setOnInsert: { name }, $set: { begunAt }, $inc: { attempts: 1 } },
      { upsert: true },
    );
    logger.info({ step: id, name }, 'migration begun');
    await run(services, grip);
    await grip.keep();
    await database.transaction(async (unit) => {
      const { modifiedCount } = await steps.updateOne(
        { _id: id, finishedAt: { $exists: false } },
        { $set: { finishedAt: clock.now() } },
        { session: unit.session },
      );
      if (modifiedCount === 0) return;
      await audit.record({ type: 'sys_migrated', actor: { type: 'system' }, details: { step: id, name } }, unit);
    });
    logger.info({ step: id, name, seconds: (clock.now().getTime() - begunAt.getTime()) / 1000 }, 'migration finished');
  };

  const untilStopped = (grip: Grip): Grip => ({
    async keep() {
      stopping.signal.throwIfAborted();
      await grip.keep();
    },
  });

  const carryOutAll = (): Promise<boolean> =>
    lease.hold(async (grip) => {
      for (const step of await pending()) await carryOut(step, untilStopped(grip));
    });

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        if ((await pending()).length === 0 || (await carryOutAll())) return;
      } catch (err) {
        if (!stopping.signal.aborted) logger.warn({ err }, 'migration broken off, will be tried again');
      }
      await sleep(retryMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };

  const finished = run();
  return {
    finished,
    stop() {
      stopping.abort();
      return finished;
    },
  };
}

interface Step<Services> {
  id: string;
  name: string;
  run(services: Services, grip: Grip): Promise<void>;
}

/** In order; what the newest version would take away stays for the release after it. */
function planOf<Services>(migrations: readonly Migration<Services>[]): Step<Services>[] {
  const newest = Math.max(0, ...migrations.map(({ version }) => version));
  return migrations.flatMap(({ version, name, expand, contract }) => [
    { id: `${version}/expand`, name, run: expand },
    ...(contract && version < newest ? [{ id: `${version}/contract`, name, run: contract }] : []),
  ]);
}
