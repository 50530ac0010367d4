import { homedir } from 'node:os';
import { join } from 'node:path';

/** Environment variables, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where fetched binaries are kept, outside the repository (XDG Base Directory Specification, `XDG_CACHE_HOME`). */
export const defaultCachePath = (env: Environment): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'countersign');

/** The last line of a program's complaint, without credentials that an address in it may carry. */
export const lastLine = (output: string): string =>
  (output.trim().split('\n').at(-1) ?? '').trim().replace(/\/\/[^/\s@]*@/g, '//');

/** What went wrong, in one line, without credentials that an address in it may carry. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/\s+/g, ' ')
    .replace(/\/\/[^/\s@]*@/g, '//')
    .slice(0, 400);
