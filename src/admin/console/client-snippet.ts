import type { ApiClient } from './api.js';

export const KINDS = ['server', 'browser', 'native', 'service'] as const;
export type ClientKind = (typeof KINDS)[number];

/** What a kind of application is registered as. */
export function registrationOf(kind: ClientKind): Record<string, unknown> {
  switch (kind) {
    case 'server':
      return { application_type: 'web', token_endpoint_auth_method: 'client_secret_basic', first_party: true };
    case 'browser':
      return { application_type: 'web', token_endpoint_auth_method: 'none', first_party: true };
    case 'native':
      return { application_type: 'native', token_endpoint_auth_method: 'none', first_party: true };
    case 'service':
      return {
        application_type: 'web',
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
      };
  }
}

/** Which kind a registration looks like. */
export function kindOf(client: ApiClient): ClientKind {
  const grants = client.grant_types ?? [];
  if (grants.includes('client_credentials') && !grants.includes('authorization_code')) return 'service';
  if (client.application_type === 'native') return 'native';
  return client.token_endpoint_auth_method === 'none' ? 'browser' : 'server';
}

/** Lines to paste: they work as they stand, but for the secret, which comes from the environment. */
export function snippetOf(kind: ClientKind, issuer: string, clientId: string, redirectUri: string | undefined): string {
  if (kind === 'service')
    return [
      `curl ${issuer}/token \\`,
      `  -u "${clientId}:$CLIENT_SECRET" \\`,
      '  -d grant_type=client_credentials',
    ].join('\n');
  const secret = kind === 'server' ? 'process.env.CLIENT_SECRET' : 'undefined, client.None()';
  return [
    "import * as client from 'openid-client';",
    '',
    'const configuration = await client.discovery(',
    `  new URL('${issuer}'),`,
    `  '${clientId}',`,
    `  ${secret},`,
    ');',
    'const verifier = client.randomPKCECodeVerifier();',
    'const url = client.buildAuthorizationUrl(configuration, {',
    `  redirect_uri: '${redirectUri ?? ''}',`,
    "  scope: 'openid profile email',",
    '  code_challenge: await client.calculatePKCECodeChallenge(verifier),',
    "  code_challenge_method: 'S256',",
    '  state: client.randomState(),',
    '});',
  ].join('\n');
}

/** A readable id that is the same whenever the same form is sent: its name, and a piece of its key. */
export function clientIdFor(name: string, key: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32);
  const piece = key
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 6);
  return [words, piece].filter(Boolean).join('-');
}
