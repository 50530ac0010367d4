/** Several providers, one message: who is asked, in which order, and what it may have cost. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAbsences } from '../../../plugins/sms/providers/absences.js';
import { createFailOver } from '../../../plugins/sms/providers/fail-over.js';
import type { HandOver, Provider } from '../../../plugins/sms/providers/index.js';
import { startTwilio } from '../../../src/demo/twilio/index.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';
import {
  ACCOUNT_SID,
  AUTH_TOKEN,
  listeningLogger,
  MESSAGE,
  makeProviders,
  noDatabase,
  someServer,
  twilioSettings,
} from './providers-support.js';

const ACCEPTED: HandOver = { status: 'accepted', providerMessageId: 'x' };
const TROUBLE: HandOver = { status: 'refused', reason: 'provider_trouble', code: 'HTTP_503', isAboutNumber: false };
const NO_ROUTE: HandOver = { status: 'refused', reason: 'unreachable', code: '21612', isAboutNumber: false };
const UNUSABLE: HandOver = { status: 'refused', reason: 'number_unusable', code: '21211', isAboutNumber: true };
const STOPPED: HandOver = { status: 'refused', reason: 'unsubscribed', code: '21610', isAboutNumber: true };
const UNKNOWN: HandOver = { status: 'unknown', code: 'TIMEOUT' };

let database: Awaited<ReturnType<typeof testDatabase>>;
let clock: FakeClock;
const { logger, lines } = listeningLogger();

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  clock = new FakeClock();
  await database.collection('sms_providers').deleteMany({});
});
afterAll(() => database.drop());

/** Providers `a`, `b`, `c` that answer as they are told; `asked` is the order in which they were. */
function failOver(...answers: HandOver[]) {
  const asked: string[] = [];
  const current = [...answers];
  const providers = current.map((_, index): Provider => {
    const name = 'abc'.charAt(index);
    return {
      name,
      async send() {
        asked.push(name);
        return current[index] ?? TROUBLE;
      },
    };
  });
  const node = (on: FakeClock = clock) =>
    createFailOver(providers as [Provider, ...Provider[]], {
      absences: createAbsences({ clock: on, database, logger }),
      logger,
    });
  return {
    send: node(),
    node,
    asked,
    answer: (...next: HandOver[]) => void current.splice(0, current.length, ...next),
  };
}

describe('who is asked', () => {
  it.each<[string, HandOver[], string, HandOver, string, string[]]>([
    ['the first that takes it', [ACCEPTED, ACCEPTED], 'a', ACCEPTED, 'a', ['a']],
    ['the next after trouble', [TROUBLE, ACCEPTED], 'ab', ACCEPTED, 'b', ['b']],
    ['the next where nobody knows; both may charge', [UNKNOWN, ACCEPTED], 'ab', ACCEPTED, 'b', ['a', 'b']],
    ['the next where there is no route', [NO_ROUTE, ACCEPTED], 'ab', ACCEPTED, 'b', ['b']],
    ['nobody more about an unusable number', [UNUSABLE, ACCEPTED], 'a', UNUSABLE, 'a', []],
    ['nobody more after STOP', [STOPPED, ACCEPTED], 'a', STOPPED, 'a', []],
    ['all, in vain', [TROUBLE, TROUBLE, TROUBLE], 'abc', TROUBLE, 'c', []],
    ['all, and it may yet arrive', [TROUBLE, UNKNOWN, TROUBLE], 'abc', UNKNOWN, 'b', ['b']],
    ['all, and what is said of the number counts', [UNKNOWN, UNUSABLE, ACCEPTED], 'ab', UNUSABLE, 'b', ['a']],
    ['all, and what is said of the message counts', [NO_ROUTE, TROUBLE], 'ab', NO_ROUTE, 'a', []],
  ])('%s', async (_name, answers, order, handOver, provider, mayHaveSent) => {
    const { send, asked } = failOver(...answers);
    expect(await send(MESSAGE)).toEqual({ handOver, provider, mayHaveSent });
    expect(asked.join('')).toBe(order);
  });
});

describe('who failed', () => {
  it.each([
    ['without an answer', UNKNOWN],
    ['in trouble', TROUBLE],
  ])('%s is asked last for 60 seconds, by every node', async (_name, failure) => {
    const { send, node, asked, answer } = failOver(failure, ACCEPTED);
    await send(MESSAGE);
    answer(ACCEPTED, ACCEPTED);
    const again = async (on: typeof send) => {
      asked.length = 0;
      await on(MESSAGE);
      return asked.join('');
    };
    expect(await again(send)).toBe('b');
    clock.advance(59);
    expect(await again(node())).toBe('b');
    clock.advance(1);
    expect(await again(send)).toBe('a');
  });

  it('is still asked where the others fail too', async () => {
    const { send, asked, answer } = failOver(UNKNOWN, ACCEPTED);
    await send(MESSAGE);
    answer(ACCEPTED, TROUBLE);
    asked.length = 0;
    expect(await send(MESSAGE)).toMatchObject({ handOver: ACCEPTED, provider: 'a' });
    expect(asked.join('')).toBe('ba');
    // Now both are away: the order is that of the configuration.
    asked.length = 0;
    answer(ACCEPTED, ACCEPTED);
    await send(MESSAGE);
    expect(asked.join('')).toBe('a');
  });

  it.each([
    ['about the number', UNUSABLE],
    ['for want of a route', NO_ROUTE],
  ])('%s is asked first as before', async (_name, refusal) => {
    const { send, asked, answer } = failOver(refusal, ACCEPTED);
    await send(MESSAGE);
    answer(ACCEPTED, ACCEPTED);
    asked.length = 0;
    await send(MESSAGE);
    expect(asked.join('')).toBe('a');
  });

  it('is away as long as the latest of all nodes says, however many say it at once', async () => {
    const at = (seconds: number) => new FakeClock(new Date(clock.now().getTime() + seconds * 1_000));
    const node = (on: FakeClock) => createAbsences({ clock: on, database, logger });
    await Promise.all(Array.from({ length: 20 }, () => node(clock).note('a')));
    await node(at(-30)).note('a');
    expect(await node(at(59)).among(['a', 'b'])).toEqual(new Set(['a']));
    expect(await node(at(60)).among(['a', 'b'])).toEqual(new Set());
    expect(await database.collection('sms_providers').countDocuments()).toBe(1);
    expect(lines()).not.toContain('is not known');
  });
});

it('is noted only where it changes what others do: not of a single provider, and not again in the same moment', async () => {
  const states = database.collection<{ _id: string; awayUntil: Date }>('sms_providers');
  await failOver(TROUBLE).send(MESSAGE);
  expect(await states.countDocuments()).toBe(0);
  const { send } = failOver(TROUBLE, ACCEPTED);
  await send(MESSAGE);
  const [first] = await states.find({}).toArray();
  expect(first?.awayUntil).toEqual(new Date(clock.now().getTime() + 60_000));
  await states.deleteMany({});
  await send(MESSAGE);
  expect(await states.countDocuments()).toBe(0);
  clock.advance(1);
  await send(MESSAGE);
  const [second] = await states.find({}).toArray();
  expect(second?.awayUntil).toEqual(new Date(clock.now().getTime() + 60_000));
});

it('a message goes out though the database is away', async () => {
  const broken = { ...noDatabase, collection: () => ({ find: fail, updateOne: fail }) } as unknown as typeof noDatabase;
  function fail(): never {
    throw new Error('no connection');
  }
  const asked: string[] = [];
  const provider = (name: string, handOver: HandOver): Provider => ({
    name,
    send: async () => {
      asked.push(name);
      return handOver;
    },
  });
  const send = createFailOver([provider('a', UNKNOWN), provider('b', ACCEPTED)], {
    absences: createAbsences({ clock, database: broken, logger }),
    logger,
  });
  expect(await send(MESSAGE)).toMatchObject({ provider: 'b', mayHaveSent: ['a', 'b'] });
  expect(asked).toEqual(['a', 'b']);
});

it('from a Twilio that hangs to the second provider: the first waits, the others do not', async () => {
  const twilio = await startTwilio({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN });
  const second = await someServer((response) => response.writeHead(200).end());
  try {
    twilio.plan({ hangs: true });
    const json = { to: '{to}', text: '{text}' };
    const list = [
      twilioSettings({ apiBase: twilio.url, timeoutMs: 500, statusCallbacks: false }),
      { name: 'second', type: 'http', url: second.url, body: { json } },
    ];
    const providers = makeProviders(list, { clock, database, logger });
    const timed = async () => {
      const start = performance.now();
      const sending = await providers.send(MESSAGE);
      return { sending, ms: performance.now() - start };
    };
    const first = await timed();
    expect(first.sending).toEqual({
      handOver: { status: 'accepted' },
      provider: 'second',
      mayHaveSent: ['twilio', 'second'],
    });
    expect(first.ms).toBeGreaterThan(450);
    const next = await timed();
    expect(next.sending).toMatchObject({ provider: 'second', mayHaveSent: ['second'] });
    expect(next.ms).toBeLessThan(300);
    expect(JSON.parse(second.received[1]?.body ?? '')).toEqual({ to: MESSAGE.to, text: MESSAGE.text });
  } finally {
    await twilio.stop();
    await second.stop();
  }
  for (const canary of [MESSAGE.to.slice(1), 'canary', AUTH_TOKEN]) expect(lines()).not.toContain(canary);
  expect(lines()).toContain('a text message was not taken');
});
