import { STATUS_CODES } from 'node:http';
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

const wantsJson = (ctx: Context): boolean => {
  const best = ctx.accepts('html', 'json', 'application/problem+json');
  return best !== 'html' && best !== false;
};

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
      if (wantsJson(ctx)) {
        const { code, status } = error;
        ctx.status = status;
        ctx.set('Cache-Control', 'no-store');
        ctx.body = { type: 'about:blank', title: STATUS_CODES[status], status, code, requestId };
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
