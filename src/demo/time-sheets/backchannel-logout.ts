import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../platform/clock.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const OLDEST_SECONDS = 300;

export interface LogoutOrder {
  sub?: string;
  sid?: string;
}

/** Checks logout tokens by OpenID Connect Back-Channel Logout 1.0, section 2.6; each is taken once. */
export function createLogoutTokenCheck(deps: {
  issuer: string;
  clientId: string;
  clock: Clock;
  keys: JWTVerifyGetKey;
}): (token: string) => Promise<LogoutOrder | undefined> {
  const taken = new Map<string, number>();
  return async (token) => {
    const now = deps.clock.now();
    try {
      const { payload } = await jwtVerify(token, deps.keys, {
        issuer: deps.issuer,
        audience: deps.clientId,
        requiredClaims: ['iat', 'jti', 'events'],
        maxTokenAge: OLDEST_SECONDS,
        currentDate: now,
        clockTolerance: 5,
      });
      const { events, nonce, sub, sid, jti } = payload;
      const isLogout = typeof events === 'object' && events !== null && EVENT in events;
      const hasSid = typeof sid === 'string';
      if (!isLogout || nonce !== undefined || (!sub && !hasSid) || !jti) return undefined;
      for (const [old, until] of taken) if (until < now.getTime()) taken.delete(old);
      if (taken.has(jti)) return undefined;
      taken.set(jti, now.getTime() + 2 * OLDEST_SECONDS * 1000);
      return { ...(sub ? { sub } : {}), ...(hasSid ? { sid } : {}) };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}
