import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** As much of V8's CPU profile as is read here. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  /** Microseconds since the sample before. */
  timeDeltas: number[];
}

/** Milliseconds of one operation, by what the time was spent in. */
export interface Spent {
  byPart: Map<string, number>;
  byFunction: Map<string, number>;
}

/** `dispatch` is the profiler itself, beginning and ending. */
const NO_WORK = new Set(['(idle)', 'dispatch']);

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** A package, a folder of ours, or the runtime. */
function partOf(url: string, functionName: string): string {
  const path = url.replace(/^file:\/\//, '');
  const [, packageName] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  if (packageName) return packageName;
  if (path.startsWith(ROOT)) return path.slice(ROOT.length).split('/').slice(0, 2).join('/').replace(/\.js$/, '');
  if (path.startsWith('node:')) return 'node';
  if (functionName === '(garbage collector)') return 'garbage collection';
  return 'native code';
}

/** Where the time of a profile went, divided by the operations that ran meanwhile. */
export function readProfile(file: string, operations: number): Spent {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byPart = new Map<string, number>();
  const byFunction = new Map<string, number>();
  const add = (sums: Map<string, number>, key: string, ms: number) => sums.set(key, (sums.get(key) ?? 0) + ms);
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (!frame || NO_WORK.has(`${frame.url}${frame.functionName}`)) continue;
    const ms = (timeDeltas[index] ?? 0) / 1000 / operations;
    const part = partOf(frame.url, frame.functionName);
    add(byPart, part, ms);
    add(byFunction, `${part}: ${frame.functionName || 'anonymous'} (line ${frame.lineNumber + 1})`, ms);
  }
  return { byPart, byFunction };
}

const FUNCTIONS_SHOWN = 20;
const WORTH_SHOWING_MS = 0.02;

export interface Compared {
  /** What one of it was. */
  of: string;
  columns: readonly [ours: string, other: string];
}

export const withReference = (operation: string): Compared => ({
  of: `one ${operation}, by package or folder (the password hash runs in a thread of its own)`,
  columns: ['ours', 'reference'],
});

/** What the first spends more on than the second, most first; then the first's most expensive functions. */
export function compareProfiles(ours: Spent, other: Spent, { of, columns }: Compared): string {
  const parts = new Set([...ours.byPart.keys(), ...other.byPart.keys()]);
  const rows = [...parts].map((part) => {
    const [a, b] = [ours.byPart.get(part) ?? 0, other.byPart.get(part) ?? 0];
    return { part, a, b, more: a - b };
  });
  const total = (spent: Spent): number => [...spent.byPart.values()].reduce((sum, ms) => sum + ms, 0);
  const row = (part: string, a: number, b: number): string =>
    `| ${part} | ${a.toFixed(2)} | ${b.toFixed(2)} | ${(a - b).toFixed(2)} |`;
  return [
    `Milliseconds of the main thread in ${of}:`,
    '',
    `| part | ${columns.join(' | ')} | more |`,
    '| --- | ---: | ---: | ---: |',
    row('**all**', total(ours), total(other)),
    ...rows
      .filter(({ more }) => Math.abs(more) >= WORTH_SHOWING_MS)
      .sort((x, y) => y.more - x.more)
      .map(({ part, a, b }) => row(part, a, b)),
    '',
    `The most expensive functions (${columns[0]}):`,
    '',
    ...[...ours.byFunction]
      .sort(([, x], [, y]) => y - x)
      .slice(0, FUNCTIONS_SHOWN)
      .map(([name, ms]) => `- ${ms.toFixed(2)} ms ${name}`),
  ].join('\n');
}
