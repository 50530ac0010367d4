import { API_ERRORS, AppError, isApiError } from '../errors.js';
import { accountCommands } from './accounts.js';
import { afterRestore } from './after-restore.js';
import { readArguments } from './arguments.js';
import { breakGlassCommands } from './break-glass.js';
import { clientCommands } from './clients.js';
import { type CliIo, type Command, CommandRefused } from './command.js';
import { doctor } from './doctor.js';
import { importAccounts } from './import/import.js';
import { init } from './init.js';
import { listKeys, resealSecrets, rotateKeys } from './keys.js';
import { roleCommands } from './roles.js';
import { start } from './start.js';

export type { CliIo } from './command.js';

const COMMANDS: readonly Command[] = [
  start,
  init,
  importAccounts,
  ...accountCommands,
  ...roleCommands,
  ...breakGlassCommands,
  ...clientCommands,
  listKeys,
  rotateKeys,
  resealSecrets,
  afterRestore,
  doctor,
];

/**
 * Runs one command.
 * @returns the exit code: 0, or 1 with every complaint on `err` and nothing done.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const wanted = COMMANDS.find(({ name }) => name.split(' ').every((word, index) => argv[index] === word));
  if (argv.includes('--help') || argv.includes('-h') || argv.length === 0) {
    for (const line of wanted ? helpOf(wanted) : overview()) io.out(line);
    return 0;
  }
  if (!wanted)
    return complain(
      io,
      [`there is no command ${argv.filter((word) => !word.startsWith('-')).join(' ')}`],
      'countersign --help',
    );
  const read = readArguments(wanted.options, argv.slice(wanted.name.split(' ').length), wanted.positional);
  if (!read.ok) return complain(io, read.problems, `countersign ${wanted.name} --help`);
  try {
    const { readSecret } = await import('../config/index.js');
    // A connection string holds a password: it may stand in a file, as the other secrets.
    const mongoUri = readSecret(io.env, 'MONGODB_URI');
    const env = { ...io.env, ...(mongoUri ? { MONGODB_URI: mongoUri } : {}) };
    await wanted.run(read.values, { ...io, env }, read.positional);
    return 0;
  } catch (error) {
    return complain(io, problemsOf(error));
  }
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof CommandRefused) return error.problems;
  // Refusals that the management API knows, too, in its words.
  if (error instanceof AppError && isApiError(error.code) && error.message === error.code)
    return [API_ERRORS[error.code].title];
  if (error instanceof Error) return [error.message];
  return [String(error)];
}

function complain(io: CliIo, problems: readonly string[], seeAlso?: string): 1 {
  for (const problem of problems) io.err(`countersign: ${problem}`);
  if (seeAlso) io.err(`See ${seeAlso}`);
  return 1;
}

const overview = (): string[] => [
  'countersign: an OpenID Connect server whose speciality is the second factor',
  '',
  ...COMMANDS.map(({ name, help }) => `  countersign ${name.padEnd(24)} ${help}`),
  '',
  'countersign COMMAND --help says what each takes.',
];

const helpOf = ({ name, help, options, positional }: Command): string[] => [
  `countersign ${name}: ${help}`,
  '',
  ...(positional ? [`  ${positional.name.padEnd(36)} ${positional.help} (required)`] : []),
  ...Object.entries(options).map(([option, { value, required, multiple, help: text }]) => {
    const notes = [required ? 'required' : '', multiple ? 'may be repeated' : ''].filter(Boolean);
    return `  ${`--${option} ${value ?? ''}`.padEnd(36)} ${text}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
  }),
];
