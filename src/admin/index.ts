/** Who may administer what: roles, scopes, and whose account may be touched. */
export {
  allowedScopes,
  isScope,
  mayActOn,
  SCOPES,
  SCRIPT_SCOPES,
  type Scope,
  scopesOfRoles,
} from './rights.js';
