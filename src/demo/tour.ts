import type Router from '@koa/router';
import type { DemoAccount } from './accounts.js';
import type { ShowPage } from './web/pages.js';

/** The page that leads a newcomer through everything. */
export function mountTour(router: Router, show: ShowPage, accounts: readonly DemoAccount[]): void {
  router.get('/', (ctx) => show(ctx, 'tour', { accounts }));
}
