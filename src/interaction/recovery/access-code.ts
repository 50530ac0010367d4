import type { Context } from 'koa';
import { originOf, seeOther, stateOf } from '../../http/index.js';
import type { HostedPages } from '../hosted-pages.js';
import { type OpenStep, openStep } from '../open-step.js';
import { sayRetryAfter } from '../retry-after.js';

const LONGEST_CODE = 40;

/** Lets one more browser into a running suspension. */
export function mountAccessCode(deps: HostedPages): void {
  const { pages, presenter, desk, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);

  /** Undefined after leading on where no code is needed: nothing is suspended, or this browser was let in. */
  const open = async (ctx: Context, uid: string): Promise<OpenStep | undefined> => {
    const step = await openStep(deps, ctx, uid);
    if (!step) return undefined;
    const suspension = await deps.suspensionFor(ctx, step.actor.account);
    if (suspension && !suspension.clearedBy) return step;
    return void seeOther(ctx, base(uid));
  };

  const show = (ctx: Context, uid: string, { actor }: OpenStep, locals = {}, status = 200): void =>
    presenter.show(
      ctx,
      'recovery/access-code',
      {
        action: `${base(uid)}/access-code`,
        applicationName: stateOf(ctx).application?.name,
        login: actor.account.login,
        otherMethodsHref: `${base(uid)}/methods`,
        cancelAction: `${base(uid)}/cancel`,
        ...locals,
      },
      status,
    );

  /** The same form sent twice at once: the other one was right. */
  const isLetInMeanwhile = async (ctx: Context, accountId: string): Promise<boolean> => {
    const account = await deps.accounts.find(accountId);
    return account !== undefined && (await deps.suspensionFor(ctx, account))?.clearedBy !== undefined;
  };

  pages.get('/second-factor/:uid/access-code', async (ctx, { uid = '' }) => {
    const step = await open(ctx, uid);
    if (!step) return;
    // The cookie before the form: sent twice at once, it is still one browser that is let in.
    deps.recoveryCookie.ensure(ctx);
    show(ctx, uid, step);
  });

  pages.form('/second-factor/:uid/access-code', { code: LONGEST_CODE }, async (ctx, { code }, { uid = '' }) => {
    const step = await open(ctx, uid);
    if (!step) return;
    const { account } = step.actor;
    const browserHash = deps.recoveryCookie.ensure(ctx);
    const result = await desk.redeemAccessCode(account, browserHash, code, originOf(ctx));
    switch (result.status) {
      case 'accepted':
        return seeOther(ctx, base(uid));
      case 'throttled':
        if (result.retryAt) sayRetryAfter(ctx, deps.clock, result.retryAt);
        return show(ctx, uid, step, { error: 'throttled', retryAt: result.retryAt }, 429);
      case 'rejected':
        if (await isLetInMeanwhile(ctx, account.id)) return seeOther(ctx, base(uid));
        return show(ctx, uid, step, { error: 'rejected' }, 422);
    }
  });
}
