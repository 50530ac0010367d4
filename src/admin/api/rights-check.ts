import type { Audit, RequestOrigin } from '../../audit/contract.js';
import type { Clock } from '../../platform/clock.js';
import { isAtLeast } from '../../policy/levels.js';
import type { Throttle } from '../../throttle/contract.js';
import { mayActOn } from '../rights.js';
import { type Caller, callerKey } from './caller.js';
import { ApiProblem } from './problem.js';
import type { Route, Subject } from './route.js';

/** A second factor proved longer ago than this is not fresh (admin-api: F). */
export const FRESH_SECONDS = 600;

/** Seconds for which this sign-in still counts as fresh; 0: it does not. */
export function freshnessLeft(caller: Caller, now: Date): number {
  if (caller.kind !== 'account' || !isAtLeast(caller.level, '2fa')) return 0;
  const age = Math.floor((now.getTime() - caller.authenticatedAt.getTime()) / 1000);
  return Math.max(0, FRESH_SECONDS - age);
}

/** May this caller use this operation at all? @throws ApiProblem */
export function checkRights(route: Route, caller: Caller, now: Date, acr: string): void {
  if (caller.kind === 'client' && !route.scripts) throw new ApiProblem('API_SCRIPTS_FORBIDDEN');
  const { scope } = route;
  if (scope && !caller.scopes.has(scope)) {
    throw new ApiProblem('API_SCOPE_INSUFFICIENT', {
      detail: `this needs ${scope}: in the token, and among the rights of your role`,
      members: { scope },
      headers: { 'WWW-Authenticate': `${caller.scheme} error="insufficient_scope", scope="${scope}"` },
    });
  }
  if (!route.fresh || caller.kind === 'client' || freshnessLeft(caller, now) > 0) return;
  // RFC 9470 section 3.
  throw new ApiProblem('API_FRESHNESS_REQUIRED', {
    detail: `sign in again with two factors: acr ${acr}, at most ${FRESH_SECONDS} seconds ago`,
    members: { acr_values: acr, max_age: FRESH_SECONDS },
    headers: {
      'WWW-Authenticate': `${caller.scheme} error="insufficient_user_authentication", acr_values="${acr}", max_age="${FRESH_SECONDS}"`,
    },
  });
}

/** May this caller do this to that account? Reading is not asked about. @throws ApiProblem */
export function checkTarget(route: Route, caller: Caller, { account }: Subject): void {
  if (!account || route.method === 'GET') return;
  if (route.notOnSelf && caller.kind === 'account' && caller.account.id === account.id)
    throw new ApiProblem('API_SELF_FORBIDDEN');
  if (!mayActOn(caller.kind === 'client' ? 'script' : caller.roles, account.roles))
    throw new ApiProblem('API_TARGET_FORBIDDEN');
}

/** So many refusals of one caller are written down within the hour: the audit is no place to fill. */
const NOTED = { counter: 'denied', limit: 20, windowSeconds: 3_600 };

/** Writes a refusal down (OWASP: `authz_fail`). */
export const createRefusalRecord =
  (deps: { audit: Audit; throttle: Throttle; clock: Clock }) =>
  async (caller: Caller, route: Route, problem: ApiProblem, origin: RequestOrigin): Promise<void> => {
    if (problem.status !== 403) return;
    if (!(await deps.throttle.reserve(`api:${callerKey(caller)}`, [NOTED])).reserved) return;
    await deps.audit.record({
      type: 'authz_fail',
      ...(caller.kind === 'account' ? { accountId: caller.account.id } : {}),
      actor:
        caller.kind === 'account'
          ? { type: 'account', id: caller.account.id }
          : { type: 'client', id: caller.clientId },
      clientId: caller.clientId,
      origin,
      details: { operation: route.id, code: problem.code },
    });
  };
