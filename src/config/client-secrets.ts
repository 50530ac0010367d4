import type { Config } from './schema.js';
import { type Environment, readSecret } from './secrets.js';

/** The configured clients as the provider takes them: each secret read from where the file says it is. */
export const clientsWithSecrets = (config: Config, env: Environment): Record<string, unknown>[] =>
  config.clients.map(({ client_secret_env: variable, ...client }) => {
    const secret = variable ? readSecret(env, variable) : undefined;
    return { ...client, ...(secret ? { client_secret: secret } : {}) };
  });
