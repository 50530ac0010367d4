import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Ears } from '../../plugins/app/phone/web/device-api.js';
import { Listening } from '../../plugins/app/phone/web/listening.js';
import { Refusal } from '../../plugins/app/phone/web/protocol.js';

/** One answer that stays open. */
interface Line extends Ears {
  id: string;
  /** The server ends it; or it breaks off. */
  end(error?: unknown): void;
}

let lines: Line[];
let heard: string[];
let listening: Listening;
beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  heard = [];
  listening = new Listening({
    watch: (id, ears) =>
      new Promise((resolve, reject) => {
        lines.push({ id, ...ears, end: (error) => (error ? reject(error) : resolve()) });
        ears.signal.addEventListener('abort', () => reject(new Refusal('OFFLINE')));
      }),
    heard: (id, event) => heard.push(`${id} ${event}`),
  });
});
afterEach(() => {
  listening.follow([]);
  jest.useRealTimers();
});

const last = (): Line => lines.at(-1) as Line;
const after = (ms: number) => jest.advanceTimersByTimeAsync(ms);

test('nobody is covered before something was heard, and not after the end', async () => {
  listening.follow(['a']);
  expect(listening.covers('a')).toBe(false);
  last().heard('begun');
  expect(listening.covers('a')).toBe(true);
  last().end();
  await after(0);
  expect(listening.covers('a')).toBe(false);
  expect(heard).toEqual(['a begun']);
});

test('it comes back after a second or two, and later and later where it is of no use; after a long one soon again', async () => {
  listening.follow(['a']);
  const gaps: number[] = [];
  for (let tries = 1; tries <= 7; tries += 1) {
    last().end(new Refusal('OFFLINE'));
    let gap = 0;
    while (lines.length === tries) {
      await after(100);
      gap += 100;
    }
    gaps.push(gap);
  }
  for (const [n, gap] of gaps.entries()) {
    const longest = Math.min(2_000 * 2 ** n, 60_000);
    expect(gap).toBeGreaterThanOrEqual(longest / 2);
    expect(gap).toBeLessThanOrEqual(longest + 100);
  }
  last().heard('begun');
  await after(300_000);
  last().end();
  await after(1_000);
  expect(lines).toHaveLength(9);
});

test('a server that takes no more is asked again when it said', async () => {
  listening.follow(['a']);
  last().end(new Refusal('TOO_MANY', { retryAfterSeconds: 60 }));
  await after(59_000);
  expect(lines).toHaveLength(1);
  await after(1_000);
  expect(lines).toHaveLength(2);
});

test('it follows three at most, each once; whoever is not there any more is not listened for', async () => {
  listening.follow(['a', 'b', 'c', 'd']);
  listening.follow(['a', 'b', 'c', 'd']);
  expect(lines.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  for (const line of lines) line.heard('begun');
  listening.follow(['b', 'd']);
  expect(lines.map(({ id, signal }) => [id, signal.aborted])).toEqual([
    ['a', true],
    ['b', false],
    ['c', true],
    ['d', false],
  ]);
  lines[0]?.heard('changed');
  expect(['a', 'b', 'c', 'd'].map((id) => listening.covers(id))).toEqual([false, true, false, false]);
  expect(heard).not.toContain('a changed');
  listening.follow([]);
  await after(300_000);
  expect(lines).toHaveLength(4);
});
