import { mountFactorPages } from './factor-pages.js';
import { mountHome, type SecurityPageDeps } from './home.js';
import { mountSessionPages } from './session-pages.js';

/** The employee's security page with everything that can be changed from it. */
export function mountSecurityPage(deps: SecurityPageDeps): void {
  mountHome(deps);
  mountFactorPages(deps);
  mountSessionPages(deps);
}
