import { AppError } from '../errors.js';
import { originOf, seeOther } from '../http/index.js';
import type { SecurityPageDeps } from './home.js';

/** Ending sessions: one, or all of them at once. */
export function mountSessionPages(deps: SecurityPageDeps): void {
  const { pages, presenter, visitors, sessions, url } = deps;
  const home = url('/account');

  pages.get('/account/sessions/:uid/end', async (ctx) => seeOther(ctx, home));
  pages.form('/account/sessions/:uid/end', {}, async (ctx, _form, { uid = '' }) => {
    const visitor = await visitors.require(ctx, '/account');
    if (!visitor) return;
    if (!(await sessions.end(visitor.account.id, uid, originOf(ctx)))) {
      throw new AppError('PAGE_NOT_FOUND', 'no such session');
    }
    seeOther(ctx, `${home}?done=session_ended`);
  });

  pages.get('/account/sign-out-everywhere', async (ctx) => {
    const visitor = await visitors.require(ctx, '/account/sign-out-everywhere');
    if (visitor) {
      presenter.show(ctx, 'account/sign-out-everywhere', {
        action: url('/account/sign-out-everywhere'),
        backHref: home,
      });
    }
  });
  pages.form('/account/sign-out-everywhere', {}, async (ctx) => {
    const visitor = await visitors.require(ctx, '/account/sign-out-everywhere');
    if (!visitor) return;
    await sessions.endAll(visitor.account.id, originOf(ctx));
    presenter.show(ctx, 'logout-done', {});
  });
}
