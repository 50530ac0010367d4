import { createServer, type Server } from 'node:http';
import { Provider } from 'oidc-provider';

/** Who signs in next, and how; the test sets it. */
export interface NextSignIn {
  accountId: string;
  acr: string;
  amr: string[];
  refuse?: boolean;
}

/** A plain OpenID provider without pages: every sign-in is answered at once as `next` says. What a stranger's issuer would be to the application. */
export async function startBareIssuer(
  port: number,
  demoUrl: string,
): Promise<{ issuer: string; next: NextSignIn; requests: URLSearchParams[]; provider: Provider; server: Server }> {
  const issuer = `http://localhost:${port}`;
  const next: NextSignIn = { accountId: 'acc_1', acr: 'urn:countersign:acr:1fa', amr: ['pwd'] };
  const requests: URLSearchParams[] = [];
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'demo-app',
        client_secret: 'demo-secret',
        redirect_uris: [`${demoUrl}/callback`],
        post_logout_redirect_uris: [`${demoUrl}/signed-out`],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: `${demoUrl}/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
      {
        client_id: 'demo-tv',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        redirect_uris: [],
        response_types: [],
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      },
    ],
    acrValues: ['urn:countersign:acr:1fa', 'urn:countersign:acr:2fa', 'phr'],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], profile: ['name'], email: ['email'] },
    cookies: { keys: ['test'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    findAccount: async (_ctx, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, name: 'Anna Alvarez', email: 'anna@example.com' }),
    }),
    extraTokenClaims: async (_ctx, token) => {
      const uid = 'sessionUid' in token ? token.sessionUid : undefined;
      const session = uid ? await provider.Session.findByUid(uid) : undefined;
      return typeof session?.acr === 'string' ? { acr: session.acr } : {};
    },
    interactions: { url: (_ctx, { uid }) => `/act/${uid}` },
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      deviceFlow: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: async () => ({
          scope: 'timesheets:read',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    jwks: { keys: await signingKeys() },
  });
  const callback = provider.callback();
  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', issuer);
    if (url.pathname === '/auth') requests.push(url.searchParams);
    if (!url.pathname.startsWith('/act/')) return callback(req, res);
    const details = await provider.interactionDetails(req, res);
    if (next.refuse)
      return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'Cancelled' });
    const { accountId, acr, amr } = next;
    if (details.prompt.name === 'login') {
      return provider.interactionFinished(req, res, { login: { accountId, acr, amr } });
    }
    const grant = new provider.Grant({ accountId, clientId: String(details.params.client_id) });
    grant.addOIDCScope('openid profile email offline_access');
    grant.addResourceScope(`${demoUrl}/api`, 'timesheets:read');
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { issuer, next, requests, provider, server };
}

async function signingKeys() {
  const { exportJWK, generateKeyPair } = await import('jose');
  const make = async (alg: string) => ({
    ...(await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)),
    alg,
    use: 'sig',
    kid: alg,
  });
  return Promise.all([make('RS256'), make('ES256')]);
}
