import { type Environment, readSecret } from './secrets.js';

/** Notes a problem at the path of a setting. */
export type Complain = (path: string, message: string) => void;

/** What a rule works with besides the settings. */
export interface Check {
  complain: Complain;
  env: Environment;
  /** The secret that the setting at `path` refers to; complains when the environment does not hold it. */
  secret(name: string, path: string): string | undefined;
}

/** @param withoutSecrets for work that needs the settings alone: no secret is looked for. */
export function createCheck(complain: Complain, env: Environment, withoutSecrets: boolean): Check {
  const secret = (name: string, path: string): string | undefined => {
    if (withoutSecrets) return undefined;
    try {
      const value = readSecret(env, name);
      if (!value) complain(path, `the environment variable ${name} is not set`);
      return value;
    } catch (error) {
      complain(path, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  return { complain, env, secret };
}
