import { DEVICE_GRANT } from './client-schema.js';
import type { Check, Complain } from './complain.js';
import type { ClientSettings, ReadableParts } from './schema.js';

/** 128 bits in base64: RFC 6749 section 10.10 wants a guess to succeed with at most 2^-128. */
const SECRET_LEAST_CHARACTERS = 22;

/** OpenID Connect Core sections 5.4 and 11, and our own `groups`: those that a client's `scope` is about. */
const SCOPES = new Set(['openid', 'offline_access', 'profile', 'email', 'phone', 'address', 'groups']);

/** What must fit together within a client, and between it and the rest of the file. */
export function clientProblems({ clients, deviceFlow }: ReadableParts, check: Check): void {
  clients?.forEach((client, index) => {
    if (!client) return;
    const path = `clients[${index}]`;
    const at: Complain = (field, message) => check.complain(`${path}.${field}`, message);
    authentication(client, at, (name) => check.secret(name, `${path}.client_secret_env`));
    grants(client, at);
    addresses(client, at);
    if (client.grant_types.includes(DEVICE_GRANT) && deviceFlow && !deviceFlow.enabled)
      at('grant_types', 'the device grant needs deviceFlow.enabled: true');
  });
}

function authentication(client: ClientSettings, at: Complain, secretOf: (name: string) => string | undefined): void {
  const method = client.token_endpoint_auth_method;
  const hasSecret = method === 'client_secret_basic' || method === 'client_secret_post';
  if (hasSecret && !client.client_secret_env)
    at('client_secret_env', `is missing: ${method} needs a secret (public clients: token_endpoint_auth_method: none)`);
  if (!hasSecret && client.client_secret_env) at('client_secret_env', `has no use with ${method}: remove it`);
  if (hasSecret && client.client_secret_env) {
    const secret = secretOf(client.client_secret_env);
    if (secret && secret.length < SECRET_LEAST_CHARACTERS)
      at('client_secret_env', `the secret must have at least ${SECRET_LEAST_CHARACTERS} characters`);
  }
  if (client.jwks && client.jwks_uri) at('jwks_uri', 'stands beside jwks: remove one of them');
  if (method === 'private_key_jwt' && !client.jwks && !client.jwks_uri)
    at('jwks', 'is missing: private_key_jwt needs jwks or jwks_uri');
  if (method === 'none' && !client.require_pkce)
    at('require_pkce', 'must be true for a public client (RFC 9700 section 2.1.1)');
}

function grants(client: ClientSettings, at: Complain): void {
  if (client.token_endpoint_auth_method === 'none' && client.grant_types.includes('client_credentials'))
    at('grant_types', 'client_credentials is for clients that authenticate themselves (RFC 6749 section 4.4)');
  if (client.api_scopes.length > 0) {
    if (!client.grant_types.includes('client_credentials'))
      at('api_scopes', 'needs client_credentials among grant_types');
    if (client.token_endpoint_auth_method !== 'private_key_jwt' && !client.dpop_bound_access_tokens)
      at('api_scopes', 'needs private_key_jwt, or dpop_bound_access_tokens: true');
  }
  const unknown = client.scope?.split(' ').filter((scope) => !SCOPES.has(scope)) ?? [];
  if (unknown.length > 0)
    at('scope', `limits ${[...SCOPES].join(', ')}; a resource names its own scopes: remove ${unknown.join(', ')}`);
  if (client.issue_refresh_token && !client.grant_types.includes('refresh_token'))
    at('issue_refresh_token', 'needs refresh_token among grant_types');
  if (client.grant_types.includes('authorization_code') && client.redirect_uris.length === 0)
    at('redirect_uris', 'is missing: the authorization code grant needs at least one');
}

function addresses(client: ClientSettings, at: Complain): void {
  if (client.application_type === 'native') return;
  for (const field of ['redirect_uris', 'post_logout_redirect_uris'] as const)
    client[field].forEach((uri, index) => {
      if (!/^https?:/.test(uri)) at(`${field}[${index}]`, 'must be https, or application_type must be native');
    });
}
