import { methodNamed } from '../app.js';
import {
  type Config,
  ConfigurationError,
  type Environment,
  inConfigurationWords,
  readSecret,
} from '../config/index.js';
import { ERROR, type Finding, OK } from '../platform/finding.js';

/** Whether the options of the login methods are as they must be, and what those outside say whom the methods need. */
export async function examineMethods({ methods }: Config, env: Environment): Promise<Finding[]> {
  const found = await Promise.all(
    methods.map(async ({ id, ...options }, place) => {
      const method = methodNamed(id);
      try {
        const read = () => method.parseConfig(options, (variable) => readSecret(env, variable));
        const config = inConfigurationWords(read, ['methods', place]);
        return (await method.examine?.(config)) ?? [];
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        return error.problems.map(({ path, message }) => ERROR(`methods: ${path} ${message}`));
      }
    }),
  );
  const findings = found.flat();
  return findings.some(({ what }) => what.startsWith('methods: '))
    ? findings
    : [OK('methods: their options are complete and valid'), ...findings];
}
