import { createHash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  EmbeddedJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import { type Clock, epochSeconds } from '../../platform/clock.js';
import { ApiProblem } from './problem.js';

/** What the authorization header and the proof beside it say. */
export interface Presented {
  authorization: string;
  /** The `DPoP` header. */
  proof: string;
  method: string;
  /** Without query and fragment. */
  url: string;
}

export type TokenClaims = JWTPayload & {
  client_id: string;
  sub: string;
  scope?: string;
  acr?: string;
  auth_time?: number;
  session_uid?: string;
};

/** A signing key of ours, as far as it matters here. */
export interface SigningKey {
  kty?: string | undefined;
  crv?: string | undefined;
  x?: string | undefined;
  y?: string | undefined;
  kid?: string | undefined;
  alg?: string | undefined;
}

const DPOP_ALGORITHMS = ['ES256', 'PS256', 'RS256'];
/** A proof is made for one request: RFC 9449 section 11.1. */
const PROOF_SECONDS = 60;

/** 401 with the scheme that is asked for (RFC 6750 section 3, RFC 9449 section 7.1). */
export function tokenRefused(scheme: 'Bearer' | 'DPoP', error?: string, detail?: string): ApiProblem {
  const parameters = [
    ...(error ? [`error="${error}"`] : []),
    ...(scheme === 'DPoP' ? [`algs="${DPOP_ALGORITHMS.join(' ')}"`] : []),
  ];
  const challenge = [scheme, parameters.join(', ')].filter(Boolean).join(' ');
  return new ApiProblem('API_TOKEN_INVALID', {
    ...(detail ? { detail } : {}),
    headers: { 'WWW-Authenticate': error ? challenge : `Bearer, ${tokenChallengeOfDpop}` },
  });
}
const tokenChallengeOfDpop = `DPoP algs="${DPOP_ALGORITHMS.join(' ')}"`;

/** Ours at the moment; see `SigningKeys` of `src/oidc`. */
export interface TrustedKeys {
  /** Private or public: only the public part is used. Another array once they change. */
  all(): readonly SigningKey[];
  /** To be awaited first. */
  upToDate(): Promise<void>;
}

/** Access tokens of our own issuer (RFC 9068), held against its own keys; no request leaves the process. */
export function createAccessTokens(deps: {
  issuer: string;
  audience: string;
  keys: TrustedKeys;
  clock: Clock;
  /** True for the first to present the id of a proof. */
  replay(issuer: string, jti: string, exp: number): Promise<boolean>;
}): { verify(presented: Presented): Promise<TokenClaims> } {
  const { issuer, audience, clock } = deps;
  let known: { all: readonly SigningKey[]; set: ReturnType<typeof createLocalJWKSet> } | undefined;
  const currentKeys = async (): Promise<ReturnType<typeof createLocalJWKSet>> => {
    await deps.keys.upToDate();
    const all = deps.keys.all();
    if (known?.all !== all) {
      const keys = all
        .filter(({ alg }) => alg === 'ES256')
        .map(({ kty, crv, x, y, kid, alg }) => ({ kty, crv, x, y, kid, alg }));
      known = { all, set: createLocalJWKSet({ keys } as JSONWebKeySet) };
    }
    return known.set;
  };

  const checkProof = async (token: string, jkt: string, { proof, method, url }: Presented): Promise<void> => {
    const refused = (): ApiProblem => tokenRefused('DPoP', 'invalid_dpop_proof', 'the DPoP proof does not fit');
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: DPOP_ALGORITHMS,
      currentDate: clock.now(),
    }).catch(() => {
      throw refused();
    });
    const { htm, htu, ath, jti, iat } = payload;
    const bare = typeof htu === 'string' && URL.canParse(htu) ? new URL(htu) : undefined;
    if (bare) bare.search = bare.hash = '';
    const isRight =
      htm === method &&
      bare?.href === url &&
      ath === createHash('sha256').update(token).digest('base64url') &&
      typeof jti === 'string' &&
      typeof iat === 'number' &&
      Math.abs(epochSeconds(clock) - iat) <= PROOF_SECONDS &&
      (await calculateJwkThumbprint(protectedHeader.jwk as JWK)) === jkt;
    if (!isRight || !(await deps.replay(jkt, `${audience} ${jti}`, iat + 2 * PROOF_SECONDS))) throw refused();
  };

  return {
    /** @throws ApiProblem API_TOKEN_INVALID */
    async verify(presented) {
      const [, scheme = '', token = ''] = /^(Bearer|DPoP) +([\w.~+/-]+=*)$/i.exec(presented.authorization) ?? [];
      if (!token) throw tokenRefused('Bearer');
      const isDpop = scheme.toLowerCase() === 'dpop';
      const { payload } = await jwtVerify(token, await currentKeys(), {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'client_id', 'exp', 'iat', 'jti'],
        currentDate: clock.now(),
      }).catch(() => {
        throw tokenRefused(isDpop ? 'DPoP' : 'Bearer', 'invalid_token', 'the token is not valid, not ours, or expired');
      });
      const { jkt } = (payload.cnf ?? {}) as { jkt?: string };
      if (jkt !== undefined && !isDpop)
        throw tokenRefused('DPoP', 'invalid_token', 'the token is bound to a key: present it with a DPoP proof');
      if (jkt === undefined && isDpop)
        throw tokenRefused('Bearer', 'invalid_token', 'the token is not bound to a key: present it as Bearer');
      if (jkt !== undefined) await checkProof(token, jkt, presented);
      if (Array.isArray(payload.aud)) throw tokenRefused('Bearer', 'invalid_token', 'the token is for others, too');
      return payload as TokenClaims;
    },
  };
}
