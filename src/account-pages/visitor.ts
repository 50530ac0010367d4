import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountSource } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import type { Engine } from '../factors/index.js';
import { seeOther } from '../http/index.js';
import { levelOfSession } from '../interaction/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import { isAtLeast, type Level } from '../policy/levels.js';
import type { Sessions } from '../sessions/index.js';

/** How long a proof of the second factor opens the changes of the security page, in seconds. */
const FRESH_SECONDS = 300;

/** The client under which the account pages sign people in; it gets no code and no token. */
export const ACCOUNT_CLIENT_ID = 'countersign-account';

/**
 * The account pages sign people in like any application does, and want neither code nor token (`response_type=none`).
 * @param name how sign-in pages and error pages call them.
 */
export const accountClient = (issuer: string, name = 'Countersign') => ({
  client_id: ACCOUNT_CLIENT_ID,
  client_name: name,
  application_type: 'web' as const,
  token_endpoint_auth_method: 'none' as const,
  response_types: ['none' as const],
  grant_types: [],
  redirect_uris: [`${issuer}/account/signed-in`],
  // Not `initiate_login_uri`: the library takes that over TLS alone, and an issuer on localhost has none.
  client_uri: `${issuer}/account`,
  first_party: true,
});

/** A signed-in person on the account pages. */
export interface Visitor {
  account: Account;
  sessionUid: string;
  level: Level;
  /** Whether the second factor was proved in the last five minutes, or none is set up. */
  isFresh: boolean;
  hasFactor: boolean;
  /** The second step is off until then. */
  suspendedUntil?: Date;
}

export interface Visitors {
  /**
   * The person of this session, or undefined after sending the browser to sign in and back to `path`.
   * @param fresh ask for the second factor again when it was proved too long ago
   */
  require(ctx: Context, path: string, options?: { fresh?: boolean }): Promise<Visitor | undefined>;
  /** Without sending anybody anywhere. */
  isSignedIn(ctx: Context): Promise<boolean>;
  /** Sends the browser through a sign-in that asks for the second factor, and back to `path`. */
  askAgain(ctx: Context, path: string): void;
}

export function createVisitors(deps: {
  issuer: string;
  provider(): Provider;
  accounts: AccountSource;
  standings: Standings;
  sessions: Sessions;
  engine: Engine;
  clock: Clock;
  sessionOverallSeconds: number;
}): Visitors {
  const { accounts, standings, sessions, engine, clock } = deps;

  const signIn = (ctx: Context, path: string, prompt?: string): void => {
    const request = new URLSearchParams({
      client_id: ACCOUNT_CLIENT_ID,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${deps.issuer}/account/signed-in`,
      state: path,
      ...(prompt ? { prompt } : {}),
    });
    seeOther(ctx, `${deps.issuer}/auth?${request}`);
  };

  const current = async (ctx: Context): Promise<Visitor | 'too_weak' | undefined> => {
    const session = await deps.provider().Session.get(ctx as never);
    const { accountId, loginTs, uid } = session;
    if (!accountId || loginTs === undefined) return undefined;
    if (epochSeconds(clock) - loginTs >= deps.sessionOverallSeconds) return undefined;
    const account = await accounts.find(accountId);
    if (!account?.active) return undefined;
    const standing = await standings.load(account);
    const level = levelOfSession(session.acr) ?? '1fa';
    if (standings.isSessionRevoked(standing, { uid, startedAt: new Date(loginTs * 1000), level })) return undefined;
    const hasFactor = (await engine.levels(accountId)).length > 0;
    // A session of a password alone does not open the page of an account that has a factor.
    if (hasFactor && !isAtLeast(level, '2fa')) return 'too_weak';
    const provedAt = (await sessions.find(uid))?.provedAt?.getTime() ?? 0;
    const isFresh = !hasFactor || clock.now().getTime() - provedAt < FRESH_SECONDS * 1000;
    const suspendedUntil = standings.runningSuspension(standing)?.until;
    return { account, sessionUid: uid, level, isFresh, hasFactor, ...(suspendedUntil ? { suspendedUntil } : {}) };
  };

  return {
    async require(ctx, path, { fresh = false } = {}) {
      const visitor = await current(ctx);
      if (visitor && visitor !== 'too_weak' && (visitor.isFresh || !fresh)) return visitor;
      // Asked for by name: a suspension would be content with the session as it is, and lead back here for ever.
      signIn(ctx, path, visitor ? 'second_factor' : undefined);
      return undefined;
    },
    async isSignedIn(ctx) {
      const visitor = await current(ctx);
      return visitor !== undefined && visitor !== 'too_weak';
    },
    askAgain: (ctx, path) => signIn(ctx, path, 'second_factor'),
  };
}
