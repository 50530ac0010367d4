import type { Provider } from 'oidc-provider';

/** Whoever keeps the provider's sessions and grants, as far as ending them goes. */
export interface SessionKeeper {
  /** Ends a session for good. @returns what it was used for, by client id. */
  revoke(uid: string): Promise<Readonly<Record<string, { grantId?: string; sid?: string }>>>;
  /** Deletes a grant and everything issued under it. */
  revokeGrant(grantId: string): Promise<void>;
}

/**
 * Ends sessions through the provider's own models: for a host whose adapter we do not know. A request in flight may write
 * the session again; the account's standing refuses it all the same.
 */
export const keeperOf = (provider: () => Provider): SessionKeeper => ({
  async revoke(uid) {
    const session = await provider().Session.findByUid(uid);
    await session?.destroy();
    return session?.authorizations ?? {};
  },
  async revokeGrant(grantId) {
    const { AuthorizationCode, AccessToken, RefreshToken, DeviceCode, Grant } = provider();
    await Promise.all(
      [AuthorizationCode, AccessToken, RefreshToken, DeviceCode].map((model) => model.revokeByGrantId(grantId)),
    );
    await Grant.adapter.destroy(grantId);
  },
});
