import type { Measurement } from './measure.js';
import { OPERATIONS, type Operation } from './operations.js';
import type { ServerName } from './processes.js';

export interface Result {
  startedInMs: number;
  operations: Record<Operation, Measurement>;
  crowd: { residentMib: number; signIns: number; turnedAway: number };
}

const COLUMNS: [title: string, cell: (measurement: Measurement) => number, digits: number][] = [
  ['server CPU ms', ({ serverCpuMs }) => serverCpuMs, 2],
  ['database CPU ms', ({ databaseCpuMs }) => databaseCpuMs, 2],
  ['sum ms', ({ serverCpuMs, databaseCpuMs }) => serverCpuMs + databaseCpuMs, 2],
  ['database calls', ({ databaseCalls }) => databaseCalls, 1],
  ['per second', ({ perSecond }) => perSecond, 1],
  ['p50 ms', ({ p50Ms }) => p50Ms, 1],
  ['p99 ms', ({ p99Ms }) => p99Ms, 1],
  ['resident MiB', ({ residentMib }) => residentMib, 0],
];

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Goals that hold whatever the machine's load is are said with their numbers; the reader judges the noise. */
const GOALS = { startedInMs: 1500, residentMib: 200 };
const goal = (value: number, limit: number): string => `${value <= limit ? 'within' : 'OVER'} the goal of ${limit}`;

/** The result as Markdown. */
export function report({ ours, reference }: Record<ServerName, Result>, setting: string): string {
  const lines = [
    setting,
    '',
    row(['operation', 'server', ...COLUMNS.map(([title]) => title)]),
    row(['---', '---', ...COLUMNS.map(() => '---:')]),
  ];
  for (const operation of OPERATIONS) {
    const [a, b] = [ours.operations[operation], reference.operations[operation]];
    const cells = (measurement: Measurement) => COLUMNS.map(([, cell, digits]) => cell(measurement).toFixed(digits));
    lines.push(
      row([operation, 'ours', ...cells(a)]),
      row(['', 'reference', ...cells(b)]),
      row(['', '**ours / reference**', ...COLUMNS.map(([, cell]) => `**${(cell(a) / cell(b)).toFixed(2)}**`)]),
    );
  }
  const { startedInMs, crowd } = ours;
  lines.push(
    '',
    `Start until listening, database running: ours ${startedInMs.toFixed(0)} ms (${goal(startedInMs, GOALS.startedInMs)}), reference ${reference.startedInMs.toFixed(0)} ms.`,
    `Most resident memory with 100 sign-ins under way: ours ${crowd.residentMib.toFixed(0)} MiB (${goal(crowd.residentMib, GOALS.residentMib)}; ${crowd.signIns} sign-ins, ${crowd.turnedAway} times asked to wait), reference ${reference.crowd.residentMib.toFixed(0)} MiB (${reference.crowd.signIns} sign-ins).`,
  );
  return lines.join('\n');
}
