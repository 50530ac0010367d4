import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '../../src/audit/contract.js';
import type { FactorMethod } from '../../src/factors/contract.js';
import { createEngine, type Engine, type EngineAccount, ensureIndexes, type SignIn } from '../../src/factors/index.js';
import type { Announcement } from '../../src/notifications/index.js';
import { connectDatabase, type Database } from '../../src/platform/database.js';
import { createLogger } from '../../src/platform/logger.js';
import { systemRandom } from '../../src/platform/random.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { createThrottle, ensureIndexes as ensureThrottleIndexes } from '../../src/throttle/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

export interface TwoNodes {
  a: Engine;
  b: Engine;
  database: Database;
  clock: FakeClock;
  /** What both nodes recorded, announced and logged. */
  audited: AuditEvent[];
  announced: { accountId: string; notice: string; params: Record<string, string | number> }[];
  announcements: Announcement[];
  logged: unknown[];
  /** How often each method's `verify` was reached, on both nodes together. */
  verifyCalls: Map<string, number>;
  stop(): Promise<void>;
}

export const origin = { requestId: 'request-1', ip: '192.0.2.1', userAgent: 'test' };

/** Everybody there is, by id; a test may change them. */
export const people = new Map<string, EngineAccount>();

export const newAccount = (): EngineAccount => {
  const id = randomBytes(8).toString('hex');
  const login = `anna.${id}@example.com`;
  const account = { id, login, name: 'Anna', email: login, active: true };
  people.set(id, account);
  return account;
};

export const newSignIn = (account: EngineAccount): SignIn => ({
  cid: randomBytes(16).toString('hex'),
  account,
  origin,
  clientId: 'time-sheets',
});

/** Two engines, each on a connection of its own, over one database: what two servers are to each other. */
export async function twoNodes(
  methods: readonly FactorMethod[],
  configOf: (method: FactorMethod) => unknown = () => undefined,
): Promise<TwoNodes> {
  const first = await testDatabase();
  const second = await connectDatabase(first.uri, { name: first.name });
  await ensureIndexes(first);
  await Promise.all([ensureThrottleIndexes(first), ...methods.map((method) => method.ensureIndexes?.(first))]);
  // Far ahead: MongoDB's own broom goes by the real time and must take nothing away meanwhile.
  const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
  const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }], randomBytes(32));
  const audited: TwoNodes['audited'] = [];
  const announced: TwoNodes['announced'] = [];
  const announcements: Announcement[] = [];
  const logged: unknown[] = [];
  const verifyCalls = new Map<string, number>();
  const log = (...line: unknown[]) => void logged.push(line);

  const counted = (method: FactorMethod): FactorMethod => ({
    id: method.id,
    parseConfig: (raw, readSecret) => method.parseConfig(raw, readSecret),
    create(config, deps) {
      const factor = method.create(config, deps);
      return {
        ...factor,
        verify(...args) {
          verifyCalls.set(method.id, (verifyCalls.get(method.id) ?? 0) + 1);
          return factor.verify(...args);
        },
      };
    },
  });
  const node = (database: Database) => {
    const engine: Engine = createEngine({
      database,
      clock,
      random: systemRandom,
      secretBox,
      logger: { ...createLogger('silent'), debug: log, info: log, warn: log, error: log },
      audit: {
        record: async (event) => void audited.push(event),
        list: async () => [],
      },
      notifier: {
        notify: async (account, notice, params = {}) => void announced.push({ accountId: account.id, notice, params }),
      },
      throttle: createThrottle({ database, clock }),
      issuerName: 'Countersign',
      issuer: 'http://localhost',
      timeZone: 'UTC',
      findAccount: async (id) => people.get(id),
      announcer: { announce: async (announcement) => void announcements.push(announcement) },
      translate: (_locale, key, params = {}) => `${key} ${Object.values(params).join(' ')}`,
      // At once, as the outbox does it a moment later.
      post: async (_accountId, work) => engine.deliver(work, { id: randomBytes(8).toString('hex'), isLast: false }),
      methods: methods.map((method) => ({ method: counted(method), config: configOf(method) })),
    });
    return engine;
  };
  const stop = async () => {
    await second.close();
    await first.drop();
  };
  let a: Engine;
  let b: Engine;
  try {
    [a, b] = [node(first), node(second)];
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    a,
    b,
    database: first,
    clock,
    audited,
    announced,
    announcements,
    logged,
    verifyCalls,
    stop,
  };
}
