/** The employee's side of the recovery desk: asking for help, waiting for it, and the codes that administrators hand out. */
import type { HostedPages } from '../hosted-pages.js';
import { mountAccessCode } from './access-code.js';
import { mountAccessPass } from './access-pass.js';
import { mountCannotConfirm } from './cannot-confirm.js';
import { mountRefused } from './refused.js';
import { mountRequestEvents } from './request-events.js';
import { mountRequestPage } from './request-page.js';

export { openRequestHere } from './own-request.js';
export { showRefused } from './refused.js';

export function mountRecoveryPages(deps: HostedPages): void {
  mountCannotConfirm(deps);
  mountRequestPage(deps);
  mountRequestEvents(deps);
  mountAccessCode(deps);
  mountAccessPass(deps);
  mountRefused(deps);
}
