import { randomBytes } from 'node:crypto';
import { options } from '../../../plugins/sms/config.js';
import { ensureIndexes, messageCollection, usageCollection } from '../../../plugins/sms/documents.js';
import type { Providers, Sending } from '../../../plugins/sms/providers/index.js';
import type { Order } from '../../../plugins/sms/sender.js';
import { createSending } from '../../../plugins/sms/sending.js';
import type { AuditEvent } from '../../../src/audit/contract.js';
import type { Announcement } from '../../../src/notifications/index.js';
import { connectDatabase, type Unit } from '../../../src/platform/database.js';
import { createLogger } from '../../../src/platform/logger.js';
import { systemRandom } from '../../../src/platform/random.js';
import { createSecretBox } from '../../../src/platform/secret-box.js';
import { createThrottle, ensureIndexes as ensureThrottleIndexes } from '../../../src/throttle/index.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';

export type SendingNode = ReturnType<typeof createSending>;

export const ACCEPTED: Sending = {
  handOver: { status: 'accepted', providerMessageId: 'SM1' },
  provider: 'one',
  mayHaveSent: ['one'],
};
export const REFUSED: Sending = {
  handOver: { status: 'refused', reason: 'provider_trouble', code: '20429', isAboutNumber: false },
  provider: 'one',
  mayHaveSent: [],
};
export const UNKNOWN: Sending = {
  handOver: { status: 'unknown', code: 'ETIMEDOUT' },
  provider: 'one',
  mayHaveSent: ['one'],
};

export interface World {
  nodes: SendingNode[];
  clock: FakeClock;
  /** What providers were given, by all nodes. */
  carried: { id: string; to: string; text: string }[];
  /** What becomes of the next ones. */
  outcome: { sending: Sending; receipt?: Awaited<ReturnType<NonNullable<ReturnType<Providers['find']>>['send']>> };
  /** Happens between the first provider and the second. */
  meanwhile: { work?: () => unknown };
  /** Messages that are put in the outbox wait here while it holds them; `look` sees each first, and can refuse it. */
  outbox: { holds: boolean; parcels: object[]; look?: (messageId: string) => Promise<void> };
  callback: { answer: unknown };
  audited: AuditEvent[];
  announced: Announcement[];
  messages: ReturnType<typeof messageCollection>;
  usage: ReturnType<typeof usageCollection>;
  /** What stands counted on a subject, counter by counter. */
  counts(subject: string): Promise<Record<string, number>>;
  allSubjects(): Promise<string[]>;
  stop(): Promise<void>;
}

/** A unit that runs again because another was faster has written nothing yet. */
const once = (unit: Unit | undefined, write: () => void): void => {
  if (unit) unit.afterCommit(write);
  else write();
};

/** Nodes over one database, each on a connection of its own, with a provider that does as it is told. */
export async function openWorld(
  count: number,
  more: Record<string, unknown> = {},
  timeZone = 'UTC',
  start = new Date('2046-03-02T09:00:00Z'),
): Promise<World> {
  const first = await testDatabase();
  const others = await Promise.all(
    Array.from({ length: count - 1 }, () => connectDatabase(first.uri, { name: first.name })),
  );
  await Promise.all([ensureIndexes(first), ensureThrottleIndexes(first)]);
  const clock = new FakeClock(start);
  const secretBox = createSecretBox([{ id: 'k1', key: randomBytes(32) }], randomBytes(32));
  const config = options.parse({
    homeCountry: 'US',
    countries: ['US', 'DE'],
    providers: [{ name: 'one', type: 'outbox' }],
    ...more,
  });
  const world = {
    clock,
    carried: [] as World['carried'],
    outcome: { sending: ACCEPTED },
    meanwhile: {} as World['meanwhile'],
    outbox: { holds: false, parcels: [] } as World['outbox'],
    callback: { answer: undefined as unknown },
    audited: [] as AuditEvent[],
    announced: [] as Announcement[],
    messages: messageCollection(first),
    usage: usageCollection(first),
  };
  const nodes = [first, ...others].map((database) => {
    const node: SendingNode = createSending(config, {
      database,
      clock,
      random: systemRandom,
      secretBox,
      logger: createLogger('silent'),
      throttle: createThrottle({ database, clock }),
      guesses: { look: async (_account, _origin, work) => (await work()).result, obstacle: async () => undefined },
      audit: { record: async (event, unit) => once(unit, () => world.audited.push(event)) },
      announcer: { announce: async (announcement, unit) => once(unit, () => world.announced.push(announcement)) },
      findAccount: async () => undefined,
      giveUp: async () => false,
      postOutside: async () => 204,
      issuer: 'http://localhost',
      issuerName: 'Countersign',
      timeZone,
      translate: (_locale, key) => key,
      slowDerive: async () => Buffer.alloc(0),
      async post(_accountId, payload) {
        await world.outbox.look?.((payload as { messageId: string }).messageId);
        if (world.outbox.holds) world.outbox.parcels.push(payload);
        else await node.sender.deliver(payload, { id: 'row', isLast: false });
      },
      providers: {
        async send(message, terms) {
          world.carried.push(message);
          const { sending } = world.outcome;
          await world.meanwhile.work?.();
          if (sending.mayHaveSent.length < 2 && !world.meanwhile.work) return sending;
          return (await terms?.mayCostMore?.()) ? sending : UNKNOWN;
        },
        warmUp: async () => {},
        find: (name) =>
          name === 'one' || name === 'two'
            ? { name, send: async () => ACCEPTED.handOver, readCallback: async () => world.callback.answer as never }
            : undefined,
      },
    });
    return node;
  });
  const attempts = first.collection<{ _id: string; counters: Record<string, { count: number }> }>('attempts');
  return {
    ...world,
    nodes,
    async counts(subject) {
      const counters = (await attempts.findOne({ _id: subject }))?.counters ?? {};
      return Object.fromEntries(Object.entries(counters).map(([name, { count: n }]) => [name.slice(2), n]));
    },
    allSubjects: async () => (await attempts.find({}).toArray()).map(({ _id }) => _id),
    async stop() {
      await Promise.all(others.map((database) => database.close()));
      await first.drop();
    },
  };
}

let people = 0;
/** Somebody's wish for a code; everybody has a number of their own. */
export const orderOf = (more: Partial<Order> = {}): Order => {
  people += 1;
  return {
    accountId: `account-${people}`,
    purpose: 'sign_in',
    number: `+1212555${String(people).padStart(4, '0')}`,
    country: 'US',
    text: `123456 is the code\n\n@localhost #123456`,
    ...more,
  };
};

export const times = <T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

/** How many of each outcome: `sent`, or the reason. */
export const tally = (results: readonly { status: string; reason?: string }[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status, reason = status } of results) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
};
