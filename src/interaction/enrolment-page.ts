import type { Context } from 'koa';
import type { Account } from '../accounts/contract.js';
import { AppError } from '../errors.js';
import type { Engine, EnrolmentResult } from '../factors/index.js';
import type { Presenter } from '../http/index.js';
import { originOf, seeOther, stateOf } from '../http/index.js';

export type Enrolled = Extract<EnrolmentResult, { status: 'enrolled' }>;

/** What is set up: a method, beside what is there already or in the place of one of its factors. */
export interface Wanted {
  method: string;
  /** The id of the factor that gives way. */
  replaces?: string | undefined;
}

/** One method's set-up page, wherever it stands: in the wizard of a sign-in or on the security page. */
export interface EnrolmentPage {
  /** @throws AppError FACTOR_UNAVAILABLE; FACTOR_NOT_FOUND when what was to be replaced is gone */
  show(ctx: Context, account: Account, wanted: Wanted, locals: Record<string, unknown>, status?: number): Promise<void>;
  /** The factor just set up; undefined when the page was shown again with what went wrong. */
  confirm(
    ctx: Context,
    account: Account,
    wanted: Wanted,
    evidence: Readonly<Record<string, string>>,
    locals: Record<string, unknown>,
  ): Promise<Enrolled | undefined>;
}

/** Somebody whose language nobody knows reads the one of this page. */
export const spokenTo = (ctx: Context, account: Account): Account => ({
  ...account,
  locale: account.locale ?? stateOf(ctx).locale,
});

export function createEnrolmentPage({ engine, presenter }: { engine: Engine; presenter: Presenter }): EnrolmentPage {
  const show: EnrolmentPage['show'] = async (ctx, account, { method, replaces }, locals, status = 200) => {
    const reader = { ...account, locale: stateOf(ctx).locale };
    const step = await engine.beginEnrolment(reader, method, originOf(ctx), replaces);
    if (!step && replaces) throw new AppError('FACTOR_NOT_FOUND', 'what was to be replaced is gone');
    if (!step) throw new AppError('FACTOR_UNAVAILABLE', 'method cannot be set up now');
    presenter.show(ctx, step.view, { ...step.locals, ...locals }, status);
  };
  return {
    show,
    async confirm(ctx, account, wanted, evidence, locals) {
      const { method, replaces } = wanted;
      const result = await engine.confirmEnrolment(spokenTo(ctx, account), method, evidence, originOf(ctx), replaces);
      if (result.status === 'enrolled') return result;
      if (result.status === 'continued') {
        seeOther(ctx, ctx.path);
      } else if (result.status === 'refused') {
        const { reason, retryAt } = result;
        const status = retryAt ? 429 : 422;
        await show(ctx, account, wanted, { ...locals, error: 'refused', reason, retryAt, values: evidence }, status);
      } else if (result.status === 'throttled') {
        await show(ctx, account, wanted, { ...locals, error: 'throttled', retryAt: result.retryAt }, 429);
      } else {
        const error = result.code === 'not_enrolled' ? 'expired' : 'rejected';
        await show(ctx, account, wanted, { ...locals, error, label: evidence.label }, 422);
      }
      return undefined;
    },
  };
}
