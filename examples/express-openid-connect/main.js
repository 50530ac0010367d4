import express from 'express';
import oidc from 'express-openid-connect';

const { ISSUER = 'http://localhost:4000', CLIENT_ID = '', CLIENT_SECRET = '', PORT = '5001' } = process.env;
/** Encrypts the application's own session cookie. */
const { SESSION_SECRET = '' } = process.env;
const origin = `http://localhost:${PORT}`;

const application = express();
application.use(
  oidc.auth({
    issuerBaseURL: ISSUER,
    baseURL: origin,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: SESSION_SECRET,
    authRequired: false,
    // Signing out here signs out at the issuer too.
    idpLogout: true,
    // The code flow; without it the library asks for an ID Token from the front channel, which is not offered.
    authorizationParams: { response_type: 'code', scope: 'openid profile email' },
  }),
);

const escaped = (text) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
const page = (body) => `<!doctype html><html lang="en"><title>express-openid-connect</title>${body}</html>`;

application.get('/', async (request, response) => {
  if (!request.oidc.isAuthenticated()) {
    response.send(page('<h1>Not signed in</h1><a href="/login">Sign in</a>'));
    return;
  }
  const claims = { ...(await request.oidc.fetchUserInfo()), ...request.oidc.idTokenClaims };
  response.send(
    page(`<h1>Signed in as ${escaped(claims.name ?? claims.sub)}</h1>
      <pre id="claims">${escaped(JSON.stringify(claims, undefined, 2))}</pre><a href="/logout">Sign out</a>`),
  );
});

application.listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`Ready: ${origin}\n`));
