import { errors } from 'oidc-provider';
import { SCRIPT_SCOPES } from '../admin/index.js';
import { type AcrAliases, LEVELS, levelOfAcr } from '../policy/index.js';

type Check = (value: unknown, metadata: Readonly<Record<string, unknown>>, aliases: AcrAliases) => boolean;

const isFlag: Check = (value) => typeof value === 'boolean';
const isOrigin = (value: unknown): boolean =>
  typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value;

/** Our own members of a client's metadata: what each may be, and how that is said. */
const CHECKS: Readonly<Record<string, { check: Check; expected: string }>> = {
  first_party: { check: isFlag, expected: 'must be true or false' },
  require_pkce: {
    // RFC 9700 section 2.1.1.
    check: (value, metadata) =>
      isFlag(value, {}, {}) && (value === true || metadata.token_endpoint_auth_method !== 'none'),
    expected: 'must be true or false, and true for a public client',
  },
  minimum_acr: {
    check: (value, _metadata, aliases) =>
      typeof value === 'string' &&
      (LEVELS.some((level) => level === value) || levelOfAcr(value, aliases) !== undefined),
    expected: `must be one of ${LEVELS.join(', ')}`,
  },
  accept_remembered_browser: { check: isFlag, expected: 'must be true or false' },
  accept_suspended: { check: isFlag, expected: 'must be true or false' },
  acr_values_required: { check: isFlag, expected: 'must be true or false' },
  claims_in_id_token: { check: isFlag, expected: 'must be true or false' },
  issue_refresh_token: { check: isFlag, expected: 'must be true or false' },
  cors_origins: {
    check: (value) => Array.isArray(value) && value.every(isOrigin),
    expected: 'must be a list of origins such as https://app.example.com',
  },
  resources: {
    check: (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
    expected: 'must be a list of identifiers of resources',
  },
  api_scopes: {
    // A secret that lies in a file would be all that stands before the accounts.
    check: (value, metadata) =>
      Array.isArray(value) &&
      value.every((entry) => (SCRIPT_SCOPES as readonly unknown[]).includes(entry)) &&
      (value.length === 0 ||
        metadata.token_endpoint_auth_method === 'private_key_jwt' ||
        metadata.dpop_bound_access_tokens === true),
    expected: `must be a list of ${SCRIPT_SCOPES.join(', ')}, and needs private_key_jwt or dpop_bound_access_tokens`,
  },
};

/**
 * The provider's check of our members, for clients of any origin. Without it a mistyped minimum would be no minimum.
 * @throws InvalidClientMetadata
 */
export function checkClientMetadata(
  name: string,
  value: unknown,
  metadata: Readonly<Record<string, unknown>>,
  aliases: AcrAliases,
): void {
  const rule = CHECKS[name];
  if (value === undefined || !rule || rule.check(value, metadata, aliases)) return;
  throw new errors.InvalidClientMetadata(`${name} ${rule.expected}`);
}
