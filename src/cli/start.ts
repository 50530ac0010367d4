import { CONFIG, command } from './command.js';

export const start = command({
  name: 'start',
  help: 'runs the server until it is told to stop (Ctrl-C, SIGTERM)',
  options: { config: CONFIG },
  run: async ({ config }, io) => (await import('./serve.js')).serve(config, io),
});
