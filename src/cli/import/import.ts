import { CONFIG, command } from '../command.js';

export const OPTIONS = {
  config: CONFIG,
  source: { value: 'NAME', help: 'what the other system is called; "import" without it' },
  'dry-run': { help: 'stores nothing, and says what would come of it' },
  json: { help: 'one JSON object for each line' },
} as const;

export const importAccounts = command({
  name: 'import',
  help: 'takes accounts over from another system: one JSON object in each line (docs/import.md)',
  positional: { name: 'FILE', help: 'the file, or - for what is piped in' },
  options: OPTIONS,
  run: async (values, io, path) => (await import('./take-over.js')).takeOver(values, io, path),
});
