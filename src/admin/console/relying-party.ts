import * as client from 'openid-client';
import { type Clock, inSeconds } from '../../platform/clock.js';
import { apiOf, CONSOLE_CLIENT_ID, CONSOLE_SCOPE } from './console-client.js';
import type { Departure } from './departures.js';
import type { InProcessFetch } from './in-process-fetch.js';
import type { ConsoleTokens } from './web-sessions.js';

/** What an API demands of the sign-in (RFC 9470 section 3). */
export interface StepUp {
  acrValues?: string;
  maxAge?: number;
}

/** What the issuer gave; roles come from the API, which knows them better. */
export type IssuedTokens = Omit<ConsoleTokens, 'roles'> & { accountId: string };

export interface RelyingParty {
  /** Where to send the browser, and what to remember of it. */
  depart(
    fetch: InProcessFetch,
    returnTo: string,
    stepUp?: StepUp,
  ): Promise<{ to: URL; departure: Omit<Departure, 'at'> }>;
  /** @throws an error of openid-client when the answer is not what this departure waits for. */
  arrive(fetch: InProcessFetch, returned: URL, departure: Departure): Promise<IssuedTokens>;
  /** Undefined when the issuer refuses: the sign-in is over. */
  refresh(
    fetch: InProcessFetch,
    refreshToken: string,
  ): Promise<Pick<IssuedTokens, 'accessToken' | 'accessEndsAt' | 'refreshToken' | 'scopes'> | undefined>;
  /** RP-Initiated Logout 1.0. */
  leave(fetch: InProcessFetch, idToken: string): Promise<URL>;
}

/** A token is renewed this long before its end: it must last for the call. */
const EARLY_SECONDS = 20;
/** RFC 6749 5.2: the grant is over, for whatever reason. All else is a fault. */
const isRefusal = (error: unknown): boolean =>
  error instanceof client.ResponseBodyError &&
  ['invalid_grant', 'invalid_target', 'invalid_scope'].includes(error.error);

/** Whether the protocol said no, and not a fault of ours. */
export const isProtocolError = (error: unknown): boolean =>
  error instanceof client.ClientError ||
  error instanceof client.ResponseBodyError ||
  error instanceof client.AuthorizationResponseError ||
  error instanceof client.WWWAuthenticateChallengeError;

/** The protocol part of the console: authorization code with PKCE, state and nonce; refresh; sign-out. */
export function createRelyingParty(deps: { issuer: string; secret: string; clock: Clock }): RelyingParty {
  const { issuer, clock } = deps;
  const resource = apiOf(issuer);
  const redirectUri = `${issuer}/console/signed-in`;
  let discovered: Promise<client.ServerMetadata> | undefined;

  const connect = async (fetch: InProcessFetch): Promise<client.Configuration> => {
    const authentication = client.ClientSecretBasic(deps.secret);
    const customFetch = fetch as unknown as client.CustomFetch;
    const isPlain = issuer.startsWith('http:');
    discovered ??= client
      .discovery(new URL(issuer), CONSOLE_CLIENT_ID, undefined, authentication, {
        [client.customFetch]: customFetch,
        ...(isPlain ? { execute: [client.allowInsecureRequests] } : {}),
      })
      .then((configuration) => configuration.serverMetadata())
      .catch((error: unknown) => {
        discovered = undefined;
        throw error;
      });
    // The issuer's clock is ours, wherever the system's stands.
    const clockSkew = Math.round((clock.now().getTime() - Date.now()) / 1000);
    const metadata = { [client.clockSkew]: clockSkew };
    const configuration = new client.Configuration(await discovered, CONSOLE_CLIENT_ID, metadata, authentication);
    configuration[client.customFetch] = customFetch;
    if (isPlain) client.allowInsecureRequests(configuration);
    return configuration;
  };

  const granted = (tokens: client.TokenEndpointResponse) => ({
    accessToken: tokens.access_token,
    accessEndsAt: inSeconds(clock.now(), (tokens.expires_in ?? 60) - EARLY_SECONDS).toISOString(),
    ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
    scopes: (tokens.scope ?? '').split(' ').filter(Boolean),
  });

  return {
    async depart(fetch, returnTo, stepUp = {}) {
      const verifier = client.randomPKCECodeVerifier();
      const [state, nonce] = [client.randomState(), client.randomNonce()];
      const to = client.buildAuthorizationUrl(await connect(fetch), {
        scope: CONSOLE_SCOPE,
        redirect_uri: redirectUri,
        resource,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(stepUp.acrValues ? { acr_values: stepUp.acrValues } : {}),
        ...(stepUp.maxAge === undefined ? {} : { max_age: String(stepUp.maxAge) }),
      });
      const maxAge = stepUp.maxAge === undefined ? {} : { maxAge: stepUp.maxAge };
      return { to, departure: { state, nonce, verifier, returnTo, ...maxAge } };
    },

    async arrive(fetch, returned, { state, nonce, verifier, maxAge }) {
      const tokens = await client.authorizationCodeGrant(
        await connect(fetch),
        returned,
        {
          pkceCodeVerifier: verifier,
          expectedState: state,
          expectedNonce: nonce,
          ...(maxAge === undefined ? {} : { maxAge }),
        },
        { resource },
      );
      const claims = tokens.claims();
      if (!claims || !tokens.id_token) throw new client.ClientError('no ID token in the answer');
      return {
        ...granted(tokens),
        accountId: claims.sub,
        idToken: tokens.id_token,
        name: typeof claims.name === 'string' ? claims.name : claims.sub,
      };
    },

    async refresh(fetch, refreshToken) {
      try {
        return granted(await client.refreshTokenGrant(await connect(fetch), refreshToken, { resource }));
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    },

    leave: async (fetch, idToken) =>
      client.buildEndSessionUrl(await connect(fetch), {
        id_token_hint: idToken,
        post_logout_redirect_uri: `${issuer}/console/signed-out`,
      }),
  };
}
