import { SCOPES } from '../index.js';

/** The client under which the console signs administrators in. */
export const CONSOLE_CLIENT_ID = 'countersign-console';

/** Audience of the management API, which the console asks tokens for (RFC 8707). */
export const apiOf = (issuer: string): string => `${issuer}/api/v1`;

/** Asked for by everybody: the issuer grants what the account's role allows. */
export const CONSOLE_SCOPE = ['openid', 'profile', ...SCOPES].join(' ');

/**
 * The console signs people in like any application does. Its secret never leaves the server: it is derived from the
 * server's keys, so that all nodes know it and nobody has to configure it.
 * @param name how sign-in pages and error pages call it.
 */
export const consoleClient = (issuer: string, secret: string, name = 'Countersign') => ({
  client_id: CONSOLE_CLIENT_ID,
  client_secret: secret,
  client_name: name,
  application_type: 'web' as const,
  token_endpoint_auth_method: 'client_secret_basic' as const,
  response_types: ['code' as const],
  grant_types: ['authorization_code' as const, 'refresh_token' as const],
  redirect_uris: [`${issuer}/console/signed-in`],
  post_logout_redirect_uris: [`${issuer}/console/signed-out`],
  client_uri: `${issuer}/console`,
  first_party: true,
  minimum_acr: '2fa',
  accept_suspended: false,
  issue_refresh_token: true,
  resources: [apiOf(issuer)],
});
