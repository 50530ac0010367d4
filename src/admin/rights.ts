import type { Role } from '../accounts/contract.js';

/** Scopes of the management API, as tokens carry them. */
export const SCOPES = [
  'accounts:read',
  'accounts:write',
  'roles:write',
  'factors:read',
  'factors:revoke',
  'passes:issue',
  'recovery:read',
  'recovery:decide',
  'suspensions:read',
  'suspensions:write',
  'sessions:read',
  'sessions:revoke',
  'clients:read',
  'clients:write',
  'audit:read',
  'reports:read',
  'webhooks:read',
  'webhooks:write',
  'sms:write',
] as const;
export type Scope = (typeof SCOPES)[number];

export const isScope = (value: string): value is Scope => (SCOPES as readonly string[]).includes(value);

const READS = SCOPES.filter((scope) => scope.endsWith(':read'));

/** What each role may do at most. */
const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  auditor: READS,
  helpdesk: [
    'accounts:read',
    'factors:read',
    'factors:revoke',
    'passes:issue',
    'recovery:read',
    'recovery:decide',
    'suspensions:read',
    'suspensions:write',
    'sessions:read',
    'sessions:revoke',
  ],
  admin: SCOPES.filter((scope) => scope !== 'roles:write'),
  owner: SCOPES,
};

/**
 * What an application without a person may be given. It never decides requests, suspends, revokes factors, grants roles or
 * changes applications; passes only where its registration says so.
 */
export const SCRIPT_SCOPES = [
  ...READS,
  'accounts:write',
  'sessions:revoke',
  'passes:issue',
] as const satisfies readonly Scope[];

/** Whose accounts a role reaches: those whose every role is in its list. */
const REACH: Readonly<Record<Role, readonly Role[]>> = {
  auditor: [],
  helpdesk: [],
  admin: ['auditor', 'helpdesk'],
  owner: ['auditor', 'helpdesk', 'admin', 'owner'],
};

/** Everything that these roles together may do. */
export function scopesOfRoles(roles: readonly Role[] = []): ReadonlySet<Scope> {
  return new Set(roles.flatMap((role) => ROLE_SCOPES[role] ?? []));
}

/** What is left of a token's scopes: those that the roles of today, or the registration of a script, allow. */
export const allowedScopes = (token: readonly string[], permitted: ReadonlySet<string>): ReadonlySet<Scope> =>
  new Set(token.filter((scope): scope is Scope => isScope(scope) && permitted.has(scope)));

/** Whether somebody with `roles` may change an account with `targetRoles`. A script reaches as far as an `admin`. */
export function mayActOn(roles: readonly Role[] | 'script', targetRoles: readonly Role[] = []): boolean {
  const acting = roles === 'script' ? (['admin'] as const) : roles;
  return acting.some((role) => role !== 'auditor' && targetRoles.every((target) => REACH[role]?.includes(target)));
}
