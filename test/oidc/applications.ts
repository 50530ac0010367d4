import { RP, RP_SECRET, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

/** Applications of every kind, beside the confidential one of all tests. */
export const APPLICATIONS = [
  RP,
  { ...RP, client_id: 'post', token_endpoint_auth_method: 'client_secret_post', id_token_signed_response_alg: 'ES256' },
  { ...RP, client_id: 'talkative', claims_in_id_token: true, issue_refresh_token: true },
  { ...RP, client_id: 'old', require_pkce: false },
  { ...RP, client_id: 'refreshing', issue_refresh_token: true },
  { ...RP, client_id: 'strict', minimum_acr: '2fa' },
  { ...RP, client_id: 'demanding', acr_values_required: true },
  { ...RP, client_id: 'third', client_name: 'Stranger', first_party: false },
  { ...RP, client_id: 'pushing', require_pushed_authorization_requests: true },
  {
    client_id: 'spa',
    client_name: 'Single page',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['https://spa.example/cb'],
    issue_refresh_token: true,
    first_party: true,
  },
  {
    client_id: 'phone-app',
    client_name: 'Phone app',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['com.example.app:/cb', 'http://127.0.0.1/cb'],
    first_party: true,
  },
  {
    client_id: 'tv',
    client_name: 'Television',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    first_party: true,
  },
];

export const API = 'https://api.example/';
export const SHORT_API = 'https://short.example/';
export const OPAQUE_API = 'https://opaque.example/';
export const RESOURCES = [
  { identifier: API, scopes: ['reports:read', 'reports:write'] },
  { identifier: SHORT_API, scopes: ['reports:read'], ttlSeconds: 60 },
  { identifier: OPAQUE_API, scopes: ['reports:read'], accessTokenFormat: 'opaque' },
];

/** Two that may ask for all of them. */
const WITH_RESOURCES = APPLICATIONS.map((client) =>
  ['rp', 'refreshing', 'strict'].includes(client.client_id)
    ? { ...client, resources: RESOURCES.map(({ identifier }) => identifier) }
    : client,
);

/** A server that knows all of them. */
export const startWithApplications = (
  settings: Record<string, unknown> = {},
  options: Parameters<typeof startApp>[1] = {},
): Promise<TestApp> =>
  startApp({ clients: WITH_RESOURCES, resources: RESOURCES, deviceFlow: { enabled: true }, ...settings }, options);

/** One of them, as the tests speak in its name. */
export function application(app: TestApp, clientId: string): RelyingParty {
  const known = APPLICATIONS.find(({ client_id }) => client_id === clientId);
  if (!known) throw new Error(`no application ${clientId}`);
  const secret = 'client_secret_env' in known ? RP_SECRET : '';
  return new RelyingParty(app.issuer, clientId, secret, known.redirect_uris?.[0]);
}
