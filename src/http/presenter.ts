import type { Context } from 'koa';
import type { AppError } from '../errors.js';
import type { Csrf } from './csrf.js';
import type { Renderer } from './render.js';
import { stateOf } from './request-state.js';

/** Shows a page: the one place where a view meets a request. */
export interface Presenter {
  /** @param view name of a pug view, as `sign-in` or `totp/enter`. */
  show(ctx: Context, view: string, locals?: Record<string, unknown>, status?: number): void;
  /** The error as a page, or as an RFC 9457 problem for callers that do not want HTML. */
  showError(ctx: Context, error: AppError): void;
}

export function createPresenter(deps: { renderer: Renderer; csrf: Csrf }): Presenter {
  const { renderer, csrf } = deps;
  const show: Presenter['show'] = (ctx, view, locals = {}, status = 200) => {
    const { requestId, nonce, locale, application } = stateOf(ctx);
    ctx.status = status;
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Language', locale);
    ctx.body = renderer.render(
      view,
      {
        locale,
        path: ctx.path,
        csrf: csrf.token(ctx),
        nonce,
        requestId,
        ...(application ? { applicationName: application.name } : {}),
      },
      locals,
    );
  };
  return {
    show,
    showError(ctx, error) {
      const { requestId, application } = stateOf(ctx);
      if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(Math.ceil(error.retryAfterSeconds)));
      if (ctx.accepts('html', 'json') === 'json') {
        ctx.status = error.status;
        ctx.body = { type: 'about:blank', title: error.code, status: error.status, code: error.code, requestId };
        ctx.type = 'application/problem+json';
        return;
      }
      if (error.code === 'INTERACTION_ENDED') {
        show(ctx, 'ended', { reason: 'expired', applicationName: application?.name, href: application?.href }, 400);
        return;
      }
      show(
        ctx,
        'error',
        { code: error.code, requestId, retryAfterSeconds: error.retryAfterSeconds, application },
        error.status,
      );
    },
  };
}
