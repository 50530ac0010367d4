import type { Clock } from '../../platform/clock.js';
import type { OidcCollection, OnCall } from './documents.js';

/** What an account has let one application do. */
export interface StoredGrant {
  id: string;
  clientId: string;
  /** Of OpenID Connect, and of resources. */
  scopes: string[];
  createdAt: Date;
  expiresAt: Date;
}

const MOST = 100;

interface GrantPayload {
  clientId?: string;
  iat?: number;
  openid?: { scope?: string };
  resources?: Record<string, string>;
}

/** Grants by account: for administrators. */
export const createGrants = ({
  collection,
  clock,
  onCall,
}: {
  collection: OidcCollection;
  clock: Clock;
  onCall: OnCall;
}) => ({
  async list(accountId: string): Promise<StoredGrant[]> {
    onCall('Grant', 'list');
    const found = await collection
      .find({ 'payload.kind': 'Grant', 'payload.accountId': accountId, expiresAt: { $gt: clock.now() } })
      .limit(MOST)
      .toArray();
    return found.map(({ _id, payload, expiresAt }) => {
      const { clientId = '', iat = 0, openid, resources = {} } = (payload ?? {}) as GrantPayload;
      const scopes = [openid?.scope, ...Object.values(resources)].flatMap((scope) => scope?.split(' ') ?? []);
      return {
        id: _id.slice('Grant:'.length),
        clientId,
        scopes: [...new Set(scopes.filter(Boolean))],
        createdAt: new Date(iat * 1000),
        expiresAt,
      };
    });
  },
});
