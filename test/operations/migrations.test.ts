import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createAudit } from '../../src/audit/index.js';
import {
  admitRelease,
  createMigrations,
  MIGRATIONS,
  type Migration,
  SCHEMA_VERSION,
} from '../../src/operations/migrations/index.js';
import { createLease } from '../../src/platform/lease.js';
import { createLogger } from '../../src/platform/logger.js';
import { systemRandom } from '../../src/platform/random.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let clock: FakeClock;
let done: string[];
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = new FakeClock();
  done = [];
  for (const name of ['schema', 'leases', 'audit_events']) await database.collection(name).deleteMany({});
});

/** Something that is waited for. */
function signal(): { promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((then) => {
    resolve = then;
  });
  return { promise, resolve };
}

const note = (what: string) => async (): Promise<void> => void done.push(what);
const release = (newest: number, own: Partial<Migration<object>> = {}): Migration<object>[] =>
  [1, 2, 3].slice(0, newest).map((version) => ({
    version,
    name: `step ${version}`,
    expand: note(`+${version}`),
    contract: note(`-${version}`),
    ...(version === newest ? own : {}),
  }));
const node = (migrations: Migration<object>[]) =>
  createMigrations({
    database,
    clock,
    random: systemRandom,
    logger: createLogger('silent'),
    audit: createAudit({ database, clock, random: systemRandom }),
    services: {},
    migrations,
    retryMs: 20,
  });
const attempts = async (id: string) => (await database.collection('schema').findOne({ _id: id as never }))?.attempts;

test('versions count up by one, and the newest is what the release is known by', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  expect(SCHEMA_VERSION).toBe(MIGRATIONS.length);
});

test('many nodes at once carry each step out once, in order, and it is written down once', async () => {
  const nodes = Array.from({ length: 5 }, () => node(release(2)));
  await Promise.all(nodes.map(({ finished }) => finished));
  expect(done).toEqual(['+1', '-1', '+2']);
  await node(release(2)).finished;
  expect(done).toHaveLength(3);
  const told = await database.collection('audit_events').find({ type: 'sys_migrated' }).toArray();
  expect(told.map(({ details }) => details.step).sort()).toEqual(['1/contract', '1/expand', '2/expand']);
});

test('what a release takes away goes with the next release, and not before', async () => {
  await node(release(1)).finished;
  expect(done).toEqual(['+1']);
  await node(release(2)).finished;
  expect(done).toEqual(['+1', '-1', '+2']);
  await node(release(1)).finished;
  expect(done).toHaveLength(3);
});

test('a runner that went silent is followed by another; coming back it stops at once, and finishes nothing', async () => {
  const reached = signal();
  const goOn = signal();
  const first = node(
    release(1, {
      async expand(_services, grip) {
        done.push('first');
        reached.resolve();
        await goOn.promise;
        await grip.keep();
        done.push('too late');
      },
    }),
  );
  await reached.promise;
  clock.advance(9);
  const second = node(release(1, { expand: note('second') }));
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(done).toEqual(['first']);
  clock.advance(2);
  await second.finished;
  goOn.resolve();
  await first.finished;
  expect(done).toEqual(['first', 'second']);
  expect(await attempts('1/expand')).toBe(2);
});

test('a step that fails is tried again; one that is told to stop leaves the lease to the next', async () => {
  let failures = 2;
  const failing: Migration<object>['expand'] = async () => {
    if (failures-- > 0) throw new Error('database away');
    done.push('third time');
  };
  await node(release(1, { expand: failing })).finished;
  expect(done).toEqual(['third time']);

  await database.collection('schema').deleteMany({});
  const begun = signal();
  const endless = node(
    release(1, {
      async expand(_services, grip) {
        begun.resolve();
        for (;;) {
          await grip.keep();
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      },
    }),
  );
  await begun.promise;
  await endless.stop();
  await node(release(1, { expand: note('the next one') })).finished;
  expect(done).toEqual(['third time', 'the next one']);
});

test('a lease is kept while its holder works, however long, and nobody else gets it', async () => {
  const deps = { database, clock, random: systemRandom };
  const lease = createLease(deps, 'work', 10);
  const other = createLease(deps, 'work', 10);
  const held = await lease.hold(async (grip) => {
    for (let n = 0; n < 6; n += 1) {
      clock.advance(4);
      await grip.keep();
      expect(await other.hold(note('other'))).toBe(false);
    }
  });
  expect([held, done]).toEqual([true, []]);
  expect(await other.hold(note('other'))).toBe(true);
});

test('a release runs on older data and beside the next one, and refuses what is beyond', async () => {
  await admitRelease(database, 2);
  await admitRelease(database, 3);
  await admitRelease(database, 2);
  await admitRelease(database, 4);
  await expect(admitRelease(database, 2)).rejects.toThrow(
    'the database is of schema version 4: this release knows version 2 and runs beside 3 at most',
  );
  await admitRelease(database, 3);
});
