import type { Context } from 'koa';
import type { Standing } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import type { CookieSettings } from '../http/index.js';
import { type Clock, inSeconds } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';

/** How long a followed link lets its browser set up the first factor. */
const PERMISSION_SECONDS = 24 * 3600;
const PASS_SECONDS = 3600;

/** Ties the permission to set up the first factor to the browser that opened the link: the password alone is not enough. */
export interface EnrolmentCookie {
  /** @param pass by an access pass: also where factors are set up, and for an hour only. */
  grant(ctx: Context, accountId: string, pass?: { isDespiteFactors: boolean }): Promise<void>;
  isGranted(ctx: Context, standing: Standing): boolean;
}

export function createEnrolmentCookie(deps: {
  cookies: CookieSettings;
  random: Random;
  clock: Clock;
  secretBox: SecretBox;
  standings: Standings;
}): EnrolmentCookie {
  const name = deps.cookies.name('enrolment');
  const hash = (token: string): string => deps.secretBox.index(token, 'first-enrolment');
  return {
    async grant(ctx, accountId, { isDespiteFactors } = { isDespiteFactors: false }) {
      const token = deps.random.token();
      const seconds = isDespiteFactors ? PASS_SECONDS : PERMISSION_SECONDS;
      const expiresAt = inSeconds(deps.clock.now(), seconds);
      await deps.standings.allowFirstEnrolment(accountId, hash(token), expiresAt, isDespiteFactors);
      ctx.cookies.set(name, token, { ...deps.cookies.options, signed: false, maxAge: seconds * 1000 });
    },
    isGranted(ctx, standing) {
      const token = ctx.cookies.get(name, { signed: false });
      return token !== undefined && deps.standings.isFirstEnrolmentAllowed(standing, hash(token));
    },
  };
}
