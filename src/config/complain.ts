import { type Environment, readSecret } from './secrets.js';

/** Notes a problem at the path of a setting. */
export type Complain = (path: string, message: string) => void;

/** The secret that a setting refers to; complains at `path` when the environment does not hold it. */
export function requireSecret(name: string, path: string, complain: Complain, env: Environment): string | undefined {
  try {
    const value = readSecret(env, name);
    if (!value) complain(path, `the environment variable ${name} is not set`);
    return value;
  } catch (error) {
    complain(path, error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
