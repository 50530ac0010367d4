import { CONFIG, command } from './command.js';

export const doctor = command({
  name: 'doctor',
  help: 'looks at everything an installation needs and says what is wrong; changes nothing',
  options: { config: CONFIG },
  run: async ({ config }, io) => (await import('./examine.js')).examineAll(config, io),
});
