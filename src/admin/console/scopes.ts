/** What the management API knows, and the console asks for. */
export const ADMIN_SCOPES = [
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
] as const;
export type AdminScope = (typeof ADMIN_SCOPES)[number];
