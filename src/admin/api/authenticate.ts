import type { AccountSource } from '../../accounts/contract.js';
import type { Standings } from '../../accounts/index.js';
import { type AcrAliases, levelOfAcr } from '../../policy/index.js';
import { allowedScopes, scopesOfRoles } from '../rights.js';
import { type createAccessTokens, type Presented, type TokenClaims, tokenRefused } from './access-token.js';
import type { Caller } from './caller.js';

/** What of an application's registration counts here. */
export interface CallingClient {
  /** `api_scopes`: what it may do on its own behalf. */
  apiScopes: readonly string[];
}

export interface AuthenticateDeps {
  tokens: ReturnType<typeof createAccessTokens>;
  accounts: AccountSource;
  standings: Standings;
  /** Ended by its person, in whichever way: what time has ended is not told by it. */
  isSessionEnded(uid: string): Promise<boolean>;
  /** Under other names, too, two factors are two factors. */
  acrAliases: AcrAliases;
  /** Undefined when it is gone. */
  findClient(clientId: string): Promise<CallingClient | undefined>;
}

const schemeOf = ({ authorization }: Presented): 'Bearer' | 'DPoP' =>
  /^dpop /i.test(authorization) ? 'DPoP' : 'Bearer';
const refused = (presented: Presented, detail: string) => tokenRefused(schemeOf(presented), 'invalid_token', detail);

/**
 * Who presents this token, and what is left of its rights now: account, roles, session and suspension are read for every
 * request, since a token that was made five minutes ago knows none of what has happened since.
 */
export const createAuthenticate =
  (deps: AuthenticateDeps) =>
  async (presented: Presented): Promise<Caller> => {
    const claims = await deps.tokens.verify(presented);
    const client = await deps.findClient(claims.client_id);
    if (!client) throw refused(presented, 'the application is gone');
    const scopes = (claims.scope ?? '').split(' ');
    if (claims.session_uid === undefined) {
      if (claims.sub !== claims.client_id) throw refused(presented, 'the token names no session');
      return {
        kind: 'client',
        scheme: schemeOf(presented),
        clientId: claims.client_id,
        scopes: allowedScopes(scopes, new Set(client.apiScopes)),
      };
    }
    const person = await personOf(deps, claims as TokenClaims & { session_uid: string });
    if (!person) throw refused(presented, 'the account or the session behind the token has ended');
    const roles = person.account.roles ?? [];
    return {
      ...person,
      kind: 'account',
      scheme: schemeOf(presented),
      clientId: claims.client_id,
      roles,
      scopes: allowedScopes(scopes, scopesOfRoles(roles)),
    };
  };

async function personOf(deps: AuthenticateDeps, claims: TokenClaims & { session_uid: string }) {
  const account = await deps.accounts.find(claims.sub);
  if (!account?.active) return undefined;
  const level = claims.acr === undefined ? undefined : levelOfAcr(claims.acr, deps.acrAliases);
  const authenticatedAt = new Date((claims.auth_time ?? claims.iat ?? 0) * 1000);
  const standing = await deps.standings.load(account);
  const session = { uid: claims.session_uid, startedAt: authenticatedAt, level: level ?? ('1fa' as const) };
  if (deps.standings.isSessionRevoked(standing, session)) return undefined;
  if (await deps.isSessionEnded(claims.session_uid)) return undefined;
  // Nothing of an account whose second factor is lifted has power over others, whenever it was proved.
  if (deps.standings.runningSuspension(standing)) return undefined;
  return { account, level, authenticatedAt, sessionUid: claims.session_uid };
}
