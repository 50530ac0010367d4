import type { Context } from 'koa';
import type { Account } from '../accounts/contract.js';
import { AppError } from '../errors.js';
import type { Engine, MethodForms, SignIn } from '../factors/index.js';
import { type EventStreams, originOf, type Pages, type Presenter, seeOther, stateOf } from '../http/index.js';
import type { Clock } from '../platform/clock.js';
import { spokenTo } from './enrolment-page.js';
import { sayRetryAfter } from './retry-after.js';
import { watch } from './watching.js';

/** One factor that is tried, by its owner. */
export interface Trial {
  account: Account;
  factorId: string;
  label: string;
  /** What it is part of, such as the `cid` of a sign-in: no answer to a trial is one to anything else. */
  within: string;
  /** As the browser sees the page, without a slash at its end. */
  href: string;
  locals?: Record<string, unknown>;
  /** Where it leads on, tried or not. */
  leave(isTried: boolean): Promise<void>;
}

/** Where trials stand: in the wizard of a sign-in, and on the security page. */
export interface TrialPlace extends Pick<MethodForms, 'method' | 'evidenceFields'> {
  pattern: string;
  /** Undefined: the browser was sent elsewhere. */
  open(ctx: Context, params: Readonly<Record<string, string>>): Promise<Trial | undefined>;
}

/** A factor asked for once as in a sign-in, of its owner, who learns whether it works. Whatever comes of it changes nothing. */
export function mountTrial(
  deps: { pages: Pages; presenter: Presenter; engine: Engine; streams: EventStreams; clock: Clock },
  { pattern, method, evidenceFields, open }: TrialPlace,
): void {
  const { pages, presenter, engine, clock } = deps;

  const signInOf = (ctx: Context, { account, within, factorId }: Trial): SignIn => ({
    cid: `${within}/trial/${factorId}`,
    account: spokenTo(ctx, account),
    origin: originOf(ctx),
    trialOf: factorId,
    ...(stateOf(ctx).application?.name ? { application: stateOf(ctx).application?.name } : {}),
  });

  const show = async (ctx: Context, trial: Trial, more: Record<string, unknown> = {}, status = 200): Promise<void> => {
    const step = await engine.begin(signInOf(ctx, trial), method);
    if (!step) throw new AppError('FACTOR_NOT_FOUND', 'removed before it was tried');
    const { href, label, locals } = trial;
    presenter.show(
      ctx,
      step.view,
      {
        ...step.locals,
        ...locals,
        trial: { label, skipAction: `${href}/skip` },
        action: href,
        sendAction: `${href}/send`,
        eventsHref: `${href}/events`,
        ...more,
      },
      status,
    );
  };

  pages.get(pattern, async (ctx, params) => {
    const trial = await open(ctx, params);
    if (trial) await show(ctx, trial);
  });

  pages.get(`${pattern}/events`, async (ctx, params) => {
    const trial = await open(ctx, params);
    if (trial) await watch(deps, ctx, signInOf(ctx, trial), method);
  });

  pages.form(pattern, evidenceFields, async (ctx, evidence, params) => {
    const trial = await open(ctx, params);
    if (!trial) return;
    const result = await engine.submit(signInOf(ctx, trial), method, evidence);
    switch (result.status) {
      case 'verified':
        return trial.leave(true);
      case 'pending':
        return show(ctx, trial, { isPending: true });
      case 'throttled': {
        const { retryAt } = result;
        if (retryAt) sayRetryAfter(ctx, clock, retryAt);
        return show(ctx, trial, { error: retryAt ? 'throttled' : 'disabled', retryAt }, 429);
      }
      case 'rejected':
        // The same form sent twice at once.
        if (result.code === 'used') return trial.leave(true);
        return show(ctx, trial, { error: 'rejected', failures: result.failures }, 422);
    }
  });

  for (const rest of ['send', 'skip'])
    pages.get(`${pattern}/${rest}`, async (ctx, params) => {
      const trial = await open(ctx, params);
      if (trial) seeOther(ctx, trial.href);
    });

  pages.form(`${pattern}/send`, {}, async (ctx, _form, params) => {
    const trial = await open(ctx, params);
    if (!trial) return;
    const outcome = await engine.send(signInOf(ctx, trial), method);
    if (outcome?.status !== 'refused') return seeOther(ctx, trial.href);
    const { reason, retryAt } = outcome;
    if (retryAt) sayRetryAfter(ctx, clock, retryAt);
    return show(ctx, trial, { error: 'refused', reason, retryAt }, retryAt ? 429 : 503);
  });

  pages.form(`${pattern}/skip`, {}, async (ctx, _form, params) => {
    const trial = await open(ctx, params);
    if (!trial) return;
    await engine.cancel(trial.account.id, signInOf(ctx, trial).cid);
    await trial.leave(false);
  });
}
