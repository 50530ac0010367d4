import { clientProblems } from './client-rules.js';
import { clientSchema } from './client-schema.js';
import { createCheck } from './complain.js';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
import { describe, explain } from './issues.js';
import type { ClientSettings } from './schema.js';

/**
 * Holds one client that comes from elsewhere than the file against the same schema and rules; its secret is the caller's
 * affair.
 * @throws ConfigurationError with all problems; their paths are the names of the metadata.
 */
export function parseClient(raw: Record<string, unknown>): Omit<ClientSettings, 'client_secret_env'> {
  const needsSecret = raw.token_endpoint_auth_method !== 'none' && raw.token_endpoint_auth_method !== 'private_key_jwt';
  const parsed = clientSchema.safeParse(
    { ...raw, ...(needsSecret ? { client_secret_env: 'ELSEWHERE' } : {}) },
    { error: explain },
  );
  const problems: ConfigurationProblem[] = (parsed.error?.issues ?? []).flatMap((issue) =>
    describe(issue, clientSchema),
  );
  const complain = (path: string, message: string) => problems.push({ path: path.replace('clients[0].', ''), message });
  clientProblems({ clients: [parsed.data] }, createCheck(complain, {}, true));
  if (!parsed.data || problems.length > 0) throw new ConfigurationError(problems);
  const { client_secret_env: _, ...client } = parsed.data;
  return client;
}
