import type { Context } from 'koa';
import { originOf, seeOther, stateOf } from '../../http/index.js';
import type { HostedPages } from '../hosted-pages.js';
import { type OpenStep, openStep } from '../open-step.js';
import { sayRetryAfter } from '../retry-after.js';

const LONGEST_PASS = 64;

/** Opens set-up in this browser to somebody without a login method, or without those that are set up. */
export function mountAccessPass(deps: HostedPages): void {
  const { pages, presenter, desk, enrolmentCookie, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);

  /** Undefined after leading on where none was issued, or this browser has used it. */
  const open = async (ctx: Context, uid: string): Promise<OpenStep | undefined> => {
    const step = await openStep(deps, ctx, uid);
    if (!step) return undefined;
    const { account } = step.actor;
    if (await deps.mayEnrolByPass(ctx, account)) return void seeOther(ctx, `${base(uid)}/set-up`);
    if (await desk.hasAccessPass(account.id)) return step;
    return void seeOther(ctx, base(uid));
  };

  const show = (ctx: Context, uid: string, { actor }: OpenStep, locals = {}, status = 200): void =>
    presenter.show(
      ctx,
      'recovery/access-pass',
      {
        action: `${base(uid)}/access-pass`,
        applicationName: stateOf(ctx).application?.name,
        login: actor.account.login,
        otherMethodsHref: `${base(uid)}/methods`,
        cancelAction: `${base(uid)}/cancel`,
        ...locals,
      },
      status,
    );

  pages.get('/second-factor/:uid/access-pass', async (ctx, { uid = '' }) => {
    const step = await open(ctx, uid);
    if (step) show(ctx, uid, step);
  });

  pages.form('/second-factor/:uid/access-pass', { code: LONGEST_PASS }, async (ctx, { code }, { uid = '' }) => {
    const step = await open(ctx, uid);
    if (!step) return;
    const { account } = step.actor;
    const result = await desk.redeemAccessPass(account, code, originOf(ctx));
    switch (result.status) {
      case 'accepted':
        await enrolmentCookie.grant(ctx, account.id, { isDespiteFactors: true });
        return seeOther(ctx, `${base(uid)}/set-up`);
      case 'throttled':
        if (result.retryAt) sayRetryAfter(ctx, deps.clock, result.retryAt);
        return show(ctx, uid, step, { error: 'throttled', retryAt: result.retryAt }, 429);
      case 'rejected':
        return show(ctx, uid, step, { error: 'rejected' }, 422);
    }
  });
}
