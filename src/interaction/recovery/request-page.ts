import type { Context } from 'koa';
import { AppError } from '../../errors.js';
import { originOf, seeOther } from '../../http/index.js';
import { inSeconds } from '../../platform/clock.js';
import { AFTER_DECLINE_SECONDS } from '../../recovery-desk/contract.js';
import type { HostedPages } from '../hosted-pages.js';
import { type RequestHere, requestHere } from './own-request.js';

/** The request as the browser that sent it sees it: its number while it is open, and what became of it. */
export function mountRequestPage(deps: HostedPages): void {
  const { pages, presenter, desk, clock, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);

  const open = async (ctx: Context, uid: string): Promise<RequestHere | undefined> => {
    const here = await requestHere(deps, ctx, uid);
    if (here.request) return here;
    if (!here.actor) throw new AppError('INTERACTION_ENDED', 'no request of this browser');
    return void seeOther(ctx, base(uid));
  };

  /** Where the person can begin once more: with their password as long as the sign-in lives, else where it came from. */
  const startAgain = async ({ request, interaction }: RequestHere) => {
    const client = request.clientId ? await deps.provider().Client.find(request.clientId) : undefined;
    const home = client?.initiateLoginUri ?? client?.clientUri;
    return {
      application: home || interaction ? (client?.clientName ?? client?.clientId) : undefined,
      startHref: interaction?.returnTo ?? home ?? url('/account'),
    };
  };

  const showOpen = (ctx: Context, uid: string, { request, actor }: RequestHere, startHref: string): void => {
    const path = `${base(uid)}/request`;
    const query = `?account=${encodeURIComponent(request.accountId)}`;
    presenter.show(ctx, 'recovery/wait', {
      number: request.number,
      createdAt: request.createdAt,
      administratorsTold: request.administratorsTold,
      hasRival: request.hasRival,
      login: actor?.account.login,
      eventsHref: `${path}/events${query}`,
      stateHref: `${path}/state${query}`,
      refreshHref: path,
      confirmHref: actor ? `${base(uid)}/methods` : startHref,
      withdrawAction: `${path}/withdraw`,
    });
  };

  pages.get('/second-factor/:uid/request', async (ctx, { uid = '' }) => {
    const here = await open(ctx, uid);
    if (!here) return;
    const { request, account, interaction, actor } = here;
    const start = await startAgain(here);
    const over = (state: string, locals: Record<string, unknown>): void =>
      presenter.show(ctx, 'recovery/over', { state, login: actor?.account.login, ...locals });
    const waysOn = actor
      ? {
          askHref: `${base(uid)}/cannot-confirm`,
          methodsHref: `${base(uid)}/methods`,
          cancelAction: `${base(uid)}/cancel`,
        }
      : start;

    switch (request.state) {
      case 'open':
        return showOpen(ctx, uid, here, start.startHref);
      case 'approved': {
        const suspension = await deps.suspensionFor(ctx, account);
        if (!suspension?.clearedBy) return over('ended', waysOn);
        if (actor) return seeOther(ctx, base(uid));
        const { until } = suspension;
        if (interaction) return over('password', { until, continueHref: interaction.returnTo });
        return over('approved', { until, ...start });
      }
      case 'declined': {
        const retryAt = inSeconds(request.changedAt, AFTER_DECLINE_SECONDS);
        const wait = retryAt > clock.now() ? { retryAt } : {};
        return over('declined', { decisionReason: request.decision?.reason, ...wait, ...waysOn });
      }
      default:
        return over(request.state, waysOn);
    }
  });

  pages.get('/second-factor/:uid/request/withdraw', async (ctx, { uid = '' }) => seeOther(ctx, `${base(uid)}/request`));
  pages.form('/second-factor/:uid/request/withdraw', {}, async (ctx, _form, { uid = '' }) => {
    const here = await open(ctx, uid);
    if (!here) return;
    // Decided a moment ago: the page tells how.
    await desk.withdraw(here.request.id, here.browserHash, originOf(ctx));
    seeOther(ctx, `${base(uid)}/request`);
  });
}
