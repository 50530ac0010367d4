import { z } from 'zod';
import { SCRIPT_SCOPES } from '../admin/index.js';
import { level, origin, redirectUri, variableName, webUrl } from './fields.js';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const publicJwk = z.looseObject({ kty: z.string() }).superRefine((jwk, context) => {
  if ('d' in jwk || 'k' in jwk)
    context.addIssue({ code: 'custom', message: 'must be a public key: this one is secret' });
});

/** A relying application: the registered names of OpenID Connect Dynamic Client Registration 1.0 and RFC 7591, and ours. */
export const clientFields = z.strictObject({
  client_id: z.string().regex(/^[\x21-\x7e]+$/, 'must be printable characters without spaces'),
  client_name: z.string().min(1),
  application_type: z.enum(['web', 'native']).default('web'),
  redirect_uris: z.array(redirectUri).default([]),
  post_logout_redirect_uris: z.array(redirectUri).default([]),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials', DEVICE_GRANT]))
    .min(1)
    .optional(),
  response_types: z.tuple([z.literal('code')]).optional(),
  subject_type: z.literal('public').optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .default('client_secret_basic'),
  /** The environment variable that holds the secret (or, with `_FILE` behind its name, the path of a file with it). */
  client_secret_env: variableName.optional(),
  scope: z.string().optional(),
  backchannel_logout_uri: webUrl.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  initiate_login_uri: webUrl.optional(),
  client_uri: webUrl.optional(),
  logo_uri: webUrl.optional(),
  policy_uri: webUrl.optional(),
  tos_uri: webUrl.optional(),
  id_token_signed_response_alg: z.enum(['RS256', 'ES256']).default('RS256'),
  jwks: z.strictObject({ keys: z.array(publicJwk).min(1) }).optional(),
  jwks_uri: webUrl.optional(),
  require_pushed_authorization_requests: z.boolean().default(false),
  dpop_bound_access_tokens: z.boolean().default(false),
  /** Ours: people are not asked for their consent. */
  first_party: z.boolean().default(false),
  /** Ours: RFC 7636; may be waived for clients that authenticate themselves. */
  require_pkce: z.boolean().default(true),
  /** Ours: the level below which nobody is let into this application. */
  minimum_acr: level.optional(),
  /** Ours: a remembered browser is enough, though the minimum is `2fa`. */
  accept_remembered_browser: z.boolean().optional(),
  /** Ours: people whose second factor is suspended are let in. */
  accept_suspended: z.boolean().default(true),
  /** Ours: treat voluntary `acr_values` as essential. */
  acr_values_required: z.boolean().default(false),
  /** Ours: profile and e-mail in the ID Token, for applications that never ask userinfo. */
  claims_in_id_token: z.boolean().default(false),
  /** Ours: refresh tokens without `offline_access`. */
  issue_refresh_token: z.boolean().default(false),
  /** Ours: identifiers of the resources it may ask access tokens for (RFC 8707). */
  resources: z.array(z.string().min(1)).default([]),
  /** Ours: what it may do at the management API on its own behalf (client credentials). */
  api_scopes: z.array(z.enum(SCRIPT_SCOPES)).default([]),
  /** Ours: browser applications that call the endpoints themselves. */
  cors_origins: z.array(origin).default([]),
});

/** The same, with what follows from one field for another. */
export const clientSchema = clientFields.transform((client) => {
  const grants = client.grant_types ?? [
    'authorization_code' as const,
    ...(client.issue_refresh_token ? ['refresh_token' as const] : []),
  ];
  const hasCode = grants.includes('authorization_code');
  return { ...client, response_types: hasCode ? ['code' as const] : [], grant_types: grants };
});
