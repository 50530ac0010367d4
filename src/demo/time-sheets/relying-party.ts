import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import type { Clock } from '../../platform/clock.js';
import { ACR } from '../../policy/levels.js';
import type { IssuerConnection } from './issuer.js';
import type { DemoSession, SignedIn } from './session.js';

/** The claims parameter that makes a level a must (Core 5.5.1.1): reached, or no token. */
const must = (...values: string[]): string =>
  JSON.stringify({
    id_token: { acr: values.length > 1 ? { essential: true, values } : { essential: true, value: values[0] } },
  });

/** What the application may ask of a sign-in beyond an ordinary one. */
export const ASKS = {
  plain: {},
  /** The answer to an API's challenge (RFC 9470). */
  second: { claims: must(ACR['2fa'], ACR.phr) },
  /** Voluntary (Core 3.1.2.1): the token says what was reached. */
  prefer: { acr_values: ACR['2fa'] },
  anew: { max_age: '0' },
  key: { claims: must(ACR.phr) },
  other: { prompt: 'login' },
} as const satisfies Record<string, Record<string, string>>;
export type Ask = keyof typeof ASKS;

const MOST_DEPARTURES = 10;
const MOST_REFRESHES = 8;

export interface RelyingPartyDeps {
  connect(): Promise<IssuerConnection>;
  clock: Clock;
  redirectUri: string;
  /** The API's identifier, RFC 8707. */
  resource: string;
}

/** A name for a refresh token that shows that it changed without showing it. */
const fingerprint = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 8);

/** The protocol part of the application: code flow with PKCE, state and nonce; refresh; profile. No HTTP of its own. */
export function createRelyingParty({ connect, clock, redirectUri, resource }: RelyingPartyDeps) {
  async function refresh(signedIn: SignedIn, purpose: string, parameters: Record<string, string>) {
    if (!signedIn.refreshToken) throw new Error('no refresh token was issued');
    const before = signedIn.refreshToken;
    const tokens = await client.refreshTokenGrant(await connect(), before, parameters);
    const after = tokens.refresh_token ?? before;
    signedIn.refreshToken = after;
    signedIn.refreshes = [
      { at: clock.now(), purpose, before: fingerprint(before), after: fingerprint(after) },
      ...signedIn.refreshes,
    ].slice(0, MOST_REFRESHES);
    return tokens;
  }

  return {
    /** Where to send the browser; remembers the departure in the session. */
    async depart(session: DemoSession, ask: Ask, loginHint?: string): Promise<URL> {
      const connection = await connect();
      const verifier = client.randomPKCECodeVerifier();
      const [state, nonce] = [client.randomState(), client.randomNonce()];
      const extra: Record<string, string> = ASKS[ask];
      const [oldest] = session.departures.keys();
      if (session.departures.size >= MOST_DEPARTURES && oldest) session.departures.delete(oldest);
      session.departures.set(state, {
        verifier,
        nonce,
        ...(extra.max_age !== undefined ? { maxAge: Number(extra.max_age) } : {}),
      });
      return client.buildAuthorizationUrl(connection, {
        scope: 'openid profile email offline_access timesheets:read',
        redirect_uri: redirectUri,
        resource,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(loginHint ? { login_hint: loginHint } : {}),
        ...extra,
      });
    },

    /** Takes the browser back: each departure once. Undefined when this browser never left with this `state`. */
    async arrive(session: DemoSession, returned: URL): Promise<SignedIn | undefined> {
      const state = returned.searchParams.get('state') ?? '';
      const departure = session.departures.get(state);
      if (!departure) return undefined;
      session.departures.delete(state);
      const connection = await connect();
      const tokens = await client.authorizationCodeGrant(
        connection,
        returned,
        {
          pkceCodeVerifier: departure.verifier,
          expectedState: state,
          expectedNonce: departure.nonce,
          ...(departure.maxAge !== undefined ? { maxAge: departure.maxAge } : {}),
        },
        { resource },
      );
      const claims = tokens.claims();
      if (!claims || !tokens.id_token) throw new client.ClientError('no ID token in the answer');
      const signedIn: SignedIn = {
        idToken: tokens.id_token,
        claims,
        accessToken: tokens.access_token,
        refreshes: [],
        ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
      };
      if (signedIn.refreshToken) await this.readProfile(signedIn);
      return signedIn;
    },

    /**
     * One token has one audience (RFC 8707): the profile needs an access token of its own. An issuer that keeps to the
     * granted resource gives none; then the profile is in the ID token.
     */
    async readProfile(signedIn: SignedIn): Promise<void> {
      const { access_token } = await refresh(signedIn, 'for the profile', {});
      const connection = await connect();
      await client.fetchUserInfo(connection, access_token, signedIn.claims.sub).then(
        (userinfo) => {
          signedIn.userinfo = userinfo;
        },
        (error: unknown) => {
          if (!(error instanceof client.WWWAuthenticateChallengeError)) throw error;
        },
      );
    },

    async renew(signedIn: SignedIn): Promise<void> {
      const tokens = await refresh(signedIn, 'for a new API token', { resource });
      signedIn.accessToken = tokens.access_token;
      const claims = tokens.claims();
      if (claims && tokens.id_token) Object.assign(signedIn, { claims, idToken: tokens.id_token });
    },

    /** RP-Initiated Logout 1.0. */
    async leaveTo(idToken: string, postLogoutRedirectUri: string): Promise<URL> {
      return client.buildEndSessionUrl(await connect(), {
        id_token_hint: idToken,
        post_logout_redirect_uri: postLogoutRedirectUri,
        state: client.randomState(),
      });
    },
  };
}

export type RelyingParty = ReturnType<typeof createRelyingParty>;
