/** What an operator sets: the YAML file with its defaults and rules, and the secrets that come from the environment. */
export { clientFields } from './client-schema.js';
export { clientsWithSecrets } from './client-secrets.js';
export { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
export { demoSecrets } from './demo-secrets.js';
export { describe as describeIssue, explain as explainIssue, explained, inConfigurationWords } from './issues.js';
export { loadConfig } from './load-config.js';
export { isLoopback } from './loopback.js';
export { parseClient } from './parse-client.js';
export {
  type AccountSettings,
  type ClientSettings,
  type Config,
  configSchema,
  type ResourceSettings,
} from './schema.js';
export { type Environment, loadSecrets, readSecret, type Secrets } from './secrets.js';
