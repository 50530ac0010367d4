import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Next } from 'koa';
import { isDatabaseUnavailable } from '../../platform/database.js';
import type { SigningKeys } from './signing-keys.js';

/** Whoever asks for our keys hardly waits longer. */
const PUBLISHED_WITHIN_MS = 1_000;

/**
 * Goes in front of the provider: whatever it signs is signed with keys that every node publishes. Looking at the keys themselves waits
 * for nobody: while the database is away nothing is signed, and those that were known last are what others need to go on.
 */
export function withCurrentKeys({
  signingKeys,
  publicPaths,
}: {
  signingKeys: SigningKeys;
  publicPaths: readonly string[];
}): (ctx: Context, next: Next) => Promise<void> {
  const lookedAt = async (): Promise<void> => {
    const looking = signingKeys.upToDate().catch((error: unknown) => {
      if (!isDatabaseUnavailable(error)) throw error;
    });
    await Promise.race([looking, sleep(PUBLISHED_WITHIN_MS, undefined, { ref: false })]);
  };
  return async (ctx, next) => {
    await (publicPaths.includes(ctx.path) ? lookedAt() : signingKeys.maySign());
    await next();
  };
}
