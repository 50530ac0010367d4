import type { Context } from 'koa';
import { AppError } from '../../errors.js';
import { seeOther, stateOf } from '../../http/index.js';
import type { SuspensionHere } from '../../second-factor/judgement.js';
import type { HostedPages } from '../hosted-pages.js';
import { type OpenStep, openStep } from '../open-step.js';
import { UNMET } from '../unmet.js';

/** Says why an application does not let somebody in whose second step is off, and what they can do about it. */
export function showRefused(
  { presenter, url }: HostedPages,
  ctx: Context,
  { interaction, actor }: OpenStep,
  { until, clearedBy }: SuspensionHere,
): void {
  const base = url(`/second-factor/${interaction.uid}`);
  presenter.show(
    ctx,
    'recovery/refused',
    {
      action: `${base}/refused`,
      applicationName: stateOf(ctx).application?.name,
      login: actor.account.login,
      until,
      ...(clearedBy ? { setUpHref: `${base}/set-up` } : { accessCodeHref: `${base}/access-code` }),
    },
    403,
  );
}

/** Back to the application, which learns that its demand was not met. */
export function mountRefused(deps: HostedPages): void {
  const { pages, interactions, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);

  pages.get('/second-factor/:uid/refused', async (ctx, { uid = '' }) => seeOther(ctx, base(uid)));
  pages.form('/second-factor/:uid/refused', {}, async (ctx, _form, { uid = '' }) => {
    const step = await openStep(deps, ctx, uid);
    if (!step) return;
    const { action } = await deps.judge(ctx, step.actor, step.interaction.params);
    if (action === 'deny') throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
    if (action !== 'unmet') return seeOther(ctx, base(uid));
    await interactions.finish(ctx, step.interaction, UNMET);
  });
}
