import { createReadStream, statSync } from 'node:fs';
import { type ImportProblem, type ImportRow, importedLogin, type RowResult } from '../../accounts/index.js';
import type { Values } from '../arguments.js';
import { type CliIo, CommandRefused } from '../command.js';
import { withApp } from '../with-app.js';
import type { OPTIONS } from './import.js';
import { type Line, readLines } from './lines.js';
import { type Counts, createProgress } from './progress.js';
import { readRow } from './row.js';

/** Accounts in one transaction. */
const BATCH = 500;

/** A line of which nothing is to be stored, or a row. */
type Entry = { line: number; problems: ImportProblem[] } | { line: number; row: ImportRow };

/** @throws CommandRefused when a line is wrong: nothing of it is stored then. */
export async function takeOver(
  { config: file, source = 'import', 'dry-run': isDry, json }: Values<typeof OPTIONS>,
  io: CliIo,
  path: string,
): Promise<void> {
  const input = open(path, io);
  const counts: Counts = { ok: 0, exists: 0, error: 0 };
  await withApp(file, io, async (app, config) => {
    const importer = await app.importer(source);
    const progress = createProgress(io, isDry);
    const work = isDry ? importer.judge : importer.store;
    const report = (entries: readonly Entry[], results: readonly RowResult[]): void => {
      entries.forEach((entry, index) => {
        const result = results[index] as RowResult;
        counts[result.result] += 1;
        io.out(json ? asJson(entry, result) : asText(entry, result));
      });
      progress.show(counts, input.share());
    };
    for await (const entries of batches(readEntries(readLines(input.chunks), config.locales))) {
      const rows = entries.flatMap((entry) => ('row' in entry ? entry.row : []));
      const stored = await work(rows);
      let next = 0;
      report(
        entries,
        entries.map((entry) =>
          'row' in entry ? (stored[next++] as RowResult) : { result: 'error', problems: entry.problems },
        ),
      );
    }
    progress.finish(counts);
  });
  if (counts.error > 0) throw new CommandRefused([`${counts.error} lines are wrong: nothing of them is stored`]);
}

/** Each line as a row, if it can be one; a login that the file has named before cannot be meant twice. */
async function* readEntries(lines: AsyncIterable<Line>, locales: readonly string[]): AsyncGenerator<Entry> {
  const seen = new Map<string, number>();
  for await (const line of lines) {
    const { number } = line;
    if ('problem' in line) {
      yield { line: number, problems: [{ field: 'line', reason: line.problem }] };
      continue;
    }
    const read = readRow(number, line.text, locales);
    if ('problems' in read) {
      yield { line: number, ...read };
      continue;
    }
    const login = importedLogin(read.row);
    const before = seen.get(login);
    if (before === undefined) seen.set(login, number);
    yield before === undefined
      ? { line: number, row: read.row }
      : { line: number, problems: [{ field: 'login', reason: `is the same as in line ${before}` }] };
  }
}

async function* batches(entries: AsyncIterable<Entry>): AsyncGenerator<Entry[]> {
  let batch: Entry[] = [];
  for await (const entry of entries) {
    batch.push(entry);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

const asJson = ({ line }: Entry, result: RowResult): string => JSON.stringify({ line, ...result });

function asText(entry: Entry, result: RowResult): string {
  const login = 'row' in entry ? [importedLogin(entry.row)] : [];
  const what =
    result.result === 'error'
      ? [result.problems.map(({ field, reason }) => `${field}: ${reason}`).join('; ')]
      : [result.id];
  return [entry.line, result.result, ...login, ...what].join('\t');
}

/** What is read, and how much of it was. @throws CommandRefused */
function open(path: string, { input }: CliIo): { chunks: AsyncIterable<Uint8Array>; share(): number | undefined } {
  if (path === '-') {
    if (!input) throw new CommandRefused(['nothing is piped in']);
    return { chunks: input, share: () => undefined };
  }
  let size: number;
  try {
    const found = statSync(path);
    if (!found.isFile()) throw Object.assign(new Error(), { code: 'is no file' });
    size = found.size;
  } catch (error) {
    throw new CommandRefused([`${path} cannot be read (${(error as { code?: string }).code})`]);
  }
  const stream = createReadStream(path, { highWaterMark: 262_144 });
  return { chunks: stream, share: () => (size === 0 ? 1 : Math.min(stream.bytesRead / size, 1)) };
}
