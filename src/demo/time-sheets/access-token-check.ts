import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../platform/clock.js';

export interface Need {
  scope: string;
  /** Acceptable values of `acr`, the preferred one first. */
  acr?: readonly string[];
}

export type TokenAnswer =
  | { allowed: true; claims: JWTPayload }
  | { allowed: false; status: 401 | 403; challenge: string; reason: string };

const quote = (parameters: Record<string, string>): string =>
  `Bearer ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`;

/**
 * What any API behind the issuer has to check: RFC 9068 section 4 for the JWT, RFC 6750 section 3 for the answer,
 * RFC 9470 for a sign-in that is not strong enough.
 */
export function createAccessTokenCheck(deps: {
  issuer: string;
  audience: string;
  clock: Clock;
  keys: JWTVerifyGetKey;
}): (authorization: string, need: Need) => Promise<TokenAnswer> {
  const { issuer, audience, clock, keys } = deps;
  const realm = 'Time Sheets';
  const refuse = (status: 401 | 403, error: string, description: string, more: Record<string, string> = {}) =>
    ({
      allowed: false,
      status,
      challenge: quote({ realm, error, error_description: description, ...more }),
      reason: description,
    }) as const;

  return async (authorization, { scope, acr }) => {
    const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? [];
    if (!token) return { allowed: false, status: 401, challenge: quote({ realm, scope }), reason: 'No token was sent' };
    let claims: JWTPayload;
    try {
      ({ payload: claims } = await jwtVerify(token, keys, {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'exp', 'iat', 'client_id'],
        currentDate: clock.now(),
      }));
    } catch (error) {
      if (isOutage(error)) throw error;
      return refuse(401, 'invalid_token', error instanceof errors.JWTExpired ? 'Expired' : 'Not a token for this API');
    }
    const granted = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
    if (!granted.includes(scope)) return refuse(403, 'insufficient_scope', 'The token lacks a scope', { scope });
    if (acr && !(typeof claims.acr === 'string' && acr.includes(claims.acr)))
      return refuse(401, 'insufficient_user_authentication', 'A stronger sign-in is required', {
        acr_values: acr.join(' '),
      });
    return { allowed: true, claims };
  };
}

/** The keys could not be fetched: says nothing about the token. */
const isOutage = (error: unknown): boolean =>
  !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
