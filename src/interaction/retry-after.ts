import type { Context } from 'koa';
import type { Clock } from '../platform/clock.js';

/** Says in the answer's head when another try makes sense (RFC 9110 10.2.3); returns the seconds until then. */
export function sayRetryAfter(ctx: Context, clock: Clock, retryAt: Date): number {
  const seconds = Math.max(1, Math.ceil((retryAt.getTime() - clock.now().getTime()) / 1000));
  ctx.set('Retry-After', String(seconds));
  return seconds;
}
