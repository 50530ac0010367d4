/** The interaction policy: a chain of two prompts, so that no session exists before the second factor is done. */
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../../platform/clock.js';
import { epochSeconds } from '../../platform/clock.js';
import { pendingFirstFactor, resultOf } from './first-factor.js';

export * from './first-factor.js';
export * from './requested-acr.js';

type Policy = interactionPolicy.DefaultPolicy;

/** What must happen with a live session before it may be used by this request. */
export type SessionVerdict = 'proceed' | 'second_factor' | 'unmet';

export interface PromptDeps {
  clock: Clock;
  /** The decision function's answer for the session at hand; no side effects. */
  judgeSession(ctx: KoaContextWithOIDC): Promise<SessionVerdict>;
  /** True for a session past its overall time. */
  isTooOld(ctx: KoaContextWithOIDC): boolean;
  /** True for a session of a password alone that a suspension would let in, and that is older than it. */
  isBeforeSuspension(ctx: KoaContextWithOIDC): Promise<boolean>;
}

/**
 * Inserts the second factor into a base policy.
 *
 * `login` is answered by a password alone only as `first_factor`, a result of ours that signs nobody in; `second_factor`
 * completes it, and is the same prompt that steps a live session up.
 */
export function secondFactorPolicy(base: Policy, deps: PromptDeps): Policy {
  const { Check, Prompt } = interactionPolicy;
  const isHalfWay = (ctx: KoaContextWithOIDC): boolean =>
    pendingFirstFactor(resultOf(ctx), epochSeconds(deps.clock)) !== undefined;

  const login = base.get('login');
  if (!login) throw new TypeError('the base policy has no login prompt');
  // A level that is too low is a matter of the second factor, not of the password.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  for (const check of login.checks) {
    const original = check.check;
    check.check = (ctx) => (isHalfWay(ctx) ? Check.NO_NEED_TO_PROMPT : original(ctx));
  }
  login.checks.add(
    new Check('account_unavailable', 'the session is no longer usable', 'login_required', (ctx) =>
      // Without this check a session whose account is gone ends as a server error at the consent prompt.
      Boolean(!isHalfWay(ctx) && ctx.oidc.session?.accountId && !ctx.oidc.account),
    ),
  );
  login.checks.add(
    new Check('session_too_old', 'the session has reached its overall time', 'login_required', (ctx) =>
      Boolean(!isHalfWay(ctx) && ctx.oidc.session?.accountId && deps.isTooOld(ctx)),
    ),
  );
  login.checks.add(
    // What it lets in ends with it, and is known by the time of its sign-in: that must not lie before.
    new Check('before_suspension', 'the session is older than the suspension', 'login_required', async (ctx) =>
      Boolean(
        !isHalfWay(ctx) && ctx.oidc.session?.accountId && ctx.oidc.account && (await deps.isBeforeSuspension(ctx)),
      ),
    ),
  );

  base.add(
    new Prompt(
      { name: 'second_factor', requestable: true },
      new Check('first_factor_only', 'the second factor is missing', 'login_required', (ctx) => isHalfWay(ctx)),
      new Check('insufficient_acr', 'the session does not meet the required level', 'login_required', async (ctx) => {
        if (isHalfWay(ctx) || !ctx.oidc.session?.accountId || !ctx.oidc.account) return Check.NO_NEED_TO_PROMPT;
        const verdict = await deps.judgeSession(ctx);
        if (verdict === 'unmet') {
          throw new errors.UnmetAuthenticationRequirements('the requested level cannot be reached');
        }
        return verdict === 'second_factor' ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
      }),
    ),
    1,
  );
  return base;
}
