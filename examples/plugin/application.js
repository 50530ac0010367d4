import { createServer } from 'node:http';
import * as client from 'openid-client';

/**
 * A relying application: any address sends the browser to sign in, and the way back shows what the ID Token says. It knows
 * nothing of second factors.
 */
export async function createApplication({ issuer, clientId, clientSecret, callback }) {
  const connection = await client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
    execute: [client.allowInsecureRequests],
  });
  /** By state: what the browser that comes back must match. One process, so memory will do. */
  const departures = new Map();
  return createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', callback);
    if (url.pathname !== new URL(callback).pathname) {
      const state = client.randomState();
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      departures.set(state, pkceCodeVerifier);
      const location = client.buildAuthorizationUrl(connection, {
        redirect_uri: callback,
        scope: 'openid profile',
        state,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      });
      response.writeHead(303, { Location: location.href }).end();
      return;
    }
    const expectedState = url.searchParams.get('state') ?? '';
    const pkceCodeVerifier = departures.get(expectedState);
    departures.delete(expectedState);
    try {
      if (!pkceCodeVerifier) throw new Error('this sign-in did not begin here');
      const tokens = await client.authorizationCodeGrant(connection, url, { expectedState, pkceCodeVerifier });
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
      response.end(JSON.stringify(tokens.claims(), undefined, 2));
    } catch (error) {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(`Not signed in: ${error.message}`);
    }
  });
}
