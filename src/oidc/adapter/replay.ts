import { createHash } from 'node:crypto';
import type { Provider } from 'oidc-provider';
import type { Clock } from '../../platform/clock.js';
import { isDuplicateKey } from '../../platform/database.js';
import { DURABLE, documentId, NEVER, type OidcCollection, type OnCall } from './documents.js';

/**
 * Remembers a JWT id until it has expired: RFC 7523 section 3 (client assertions) and RFC 9449 section 11.1 (DPoP proofs).
 * @param exp seconds since the epoch. @returns true for the first to present it, false for all others on all nodes.
 */
export type Replay = (issuer: string, jti: string, exp: number) => Promise<boolean>;

export function createReplay(deps: { collection: OidcCollection; clock: Clock; onCall: OnCall }): Replay {
  const { collection, clock, onCall } = deps;
  return async (issuer, jti, exp) => {
    onCall('ReplayDetection', 'unique');
    // JSON keeps `ab` + `c` and `a` + `bc` apart.
    const id = createHash('sha256')
      .update(JSON.stringify([issuer, jti]))
      .digest('base64url');
    try {
      await collection.updateOne(
        { _id: documentId('ReplayDetection', id), expiresAt: { $lte: clock.now() } },
        // The caller of a token endpoint chooses `exp`: it may lie beyond what a date can hold.
        { $set: { expiresAt: new Date(Math.min(exp * 1000, NEVER.getTime())) } },
        { ...DURABLE, upsert: true },
      );
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  };
}

/** Makes a provider ask the store; by itself it looks first and writes later, so that of two at the same moment both pass. */
export function installReplayDetection(provider: Provider, store: { replay: Replay }): void {
  provider.ReplayDetection.unique = (issuer, jti, exp) => store.replay(issuer, jti, exp);
}
