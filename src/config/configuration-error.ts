import { AppError } from '../errors.js';

export interface ConfigurationProblem {
  /** The setting, as `clients[2].redirect_uris[0]`, or the environment variable. */
  path: string;
  /** What is wrong and what would be right; never a secret's value. */
  message: string;
  /** Where in the YAML file, from 1. */
  line?: number;
}

/** Everything that is wrong with the configuration, at once. The message has one line per problem. */
export class ConfigurationError extends AppError {
  constructor(
    readonly problems: readonly ConfigurationProblem[],
    file?: string,
  ) {
    const lines = problems.map(({ path, message, line }) => {
      const where = [path, line === undefined ? '' : `(line ${line})`].filter(Boolean).join(' ');
      return `  ${where}: ${message}`;
    });
    super('CONFIGURATION_INVALID', [`the configuration${file ? ` ${file}` : ''} is not valid:`, ...lines].join('\n'));
    this.name = 'ConfigurationError';
  }
}
