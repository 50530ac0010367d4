import type { Context } from 'koa';
import type { RequestOrigin } from '../audit/contract.js';

/** What every request carries from the first middleware on, under `ctx.state`. */
export interface RequestState {
  requestId: string;
  /** CSP nonce of this answer. */
  nonce: string;
  /** BCP 47 tag of a language we have. */
  locale: string;
  /** The person picked it; else an application's wish counts. */
  isLocaleChosen: boolean;
  /** Name of the operation that answers, of a closed list. */
  route?: string;
  /** A keyed hash of a cookie that this browser alone has. */
  browser?: string;
  /** The relying application of the sign-in at hand, for titles and error pages. */
  application?: { name: string; href?: string };
}

export const stateOf = (ctx: Context): RequestState => ctx.state as RequestState;

/** Where the request came from, for the audit. */
export function originOf(ctx: Context): RequestOrigin {
  const userAgent = ctx.get('user-agent').slice(0, 256);
  const { requestId, browser } = stateOf(ctx);
  return { requestId, ip: ctx.ip, ...(userAgent ? { userAgent } : {}), ...(browser ? { browser } : {}) };
}
