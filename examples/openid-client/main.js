import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import * as client from 'openid-client';

const { ISSUER = 'http://localhost:4000', CLIENT_ID = '', CLIENT_SECRET = '', PORT = '5001' } = process.env;
const origin = `http://localhost:${PORT}`;
const callback = `${origin}/callback`;

// `execute` is for an issuer on localhost alone: a real one has TLS, and this line goes.
const execute = ISSUER.startsWith('http://localhost') ? [client.allowInsecureRequests] : [];
const connection = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, { execute });

/** By cookie. An application that runs as more than one process keeps them in its database. */
const sessions = new Map();

function sessionOf(request, response) {
  const [, id = ''] = /(?:^|; )app=([\w-]+)/.exec(request.headers.cookie ?? '') ?? [];
  const known = sessions.get(id);
  if (known) return known;
  const session = { id: randomUUID() };
  sessions.set(session.id, session);
  response.setHeader('Set-Cookie', `app=${session.id}; HttpOnly; SameSite=Lax; Path=/`);
  return session;
}

const redirect = (response, url) => response.writeHead(303, { Location: String(url) }).end();
const escaped = (text) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
const page = (response, body) =>
  response
    .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' })
    .end(`<!doctype html><html lang="en"><title>openid-client</title>${body}</html>`);

const pages = {
  '/': (session, response) =>
    session.claims
      ? page(
          response,
          `<h1>Signed in as ${escaped(session.claims.name ?? session.claims.sub)}</h1>
           <pre id="claims">${escaped(JSON.stringify(session.claims, undefined, 2))}</pre><a href="/sign-out">Sign out</a>`,
        )
      : page(response, '<h1>Not signed in</h1><a href="/sign-in">Sign in</a>'),

  async '/sign-in'(session, response) {
    session.departure = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
    const { pkceCodeVerifier, expectedState } = session.departure;
    redirect(
      response,
      client.buildAuthorizationUrl(connection, {
        redirect_uri: callback,
        scope: 'openid profile email',
        state: expectedState,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      }),
    );
  },

  async '/callback'(session, response, url) {
    const { departure } = session;
    delete session.departure;
    if (!departure) throw new Error('this sign-in did not begin here');
    const tokens = await client.authorizationCodeGrant(connection, url, departure);
    const claims = tokens.claims();
    const profile = await client.fetchUserInfo(connection, tokens.access_token, claims.sub);
    // A new id for a new person: whoever planted the old cookie has nothing of it.
    sessions.delete(session.id);
    Object.assign(session, { id: randomUUID(), claims: { ...profile, ...claims }, idToken: tokens.id_token });
    sessions.set(session.id, session);
    response.setHeader('Set-Cookie', `app=${session.id}; HttpOnly; SameSite=Lax; Path=/`);
    redirect(response, '/');
  },

  '/sign-out'(session, response) {
    sessions.delete(session.id);
    redirect(
      response,
      client.buildEndSessionUrl(connection, {
        post_logout_redirect_uri: origin,
        ...(session.idToken ? { id_token_hint: session.idToken } : {}),
      }),
    );
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', origin);
  const answer = Object.hasOwn(pages, url.pathname) ? pages[url.pathname] : undefined;
  try {
    if (answer) await answer(sessionOf(request, response), response, url);
    else response.writeHead(404).end();
  } catch (error) {
    response.writeHead(400, { 'Content-Type': 'text/plain' }).end(`Not signed in: ${error.message}`);
  }
}).listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`Ready: ${origin}\n`));
