import type { Context } from 'koa';
import type { CookieSettings } from '../http/index.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import { RECOVERY_COOKIE_SECONDS } from '../recovery-desk/contract.js';

/**
 * Knows the browser that sent a recovery request, or was let into a suspension, again: 256 random bits, of which only a
 * keyed hash is stored. It outlives the sign-in, since an administrator needs hours.
 */
export interface RecoveryCookie {
  /** What the browser is known by; undefined without a cookie. */
  hashOf(ctx: Context): string | undefined;
  /** The same, after giving the browser a cookie where it has none. */
  ensure(ctx: Context): string;
}

export function createRecoveryCookie(deps: {
  cookies: CookieSettings;
  random: Random;
  secretBox: SecretBox;
}): RecoveryCookie {
  const name = deps.cookies.name('recovery');
  const hash = (token: string): string => deps.secretBox.index(token, 'recovery-browser');
  const read = (ctx: Context): string | undefined => {
    const token = ctx.cookies.get(name, { signed: false });
    return token && /^[\w-]{43}$/.test(token) ? token : undefined;
  };
  return {
    hashOf(ctx) {
      const token = read(ctx);
      return token && hash(token);
    },
    ensure(ctx) {
      // Written again each time: three days count from the last request or code.
      const token = read(ctx) ?? deps.random.token(256);
      ctx.cookies.set(name, token, {
        ...deps.cookies.options,
        signed: false,
        maxAge: RECOVERY_COOKIE_SECONDS * 1000,
      });
      return hash(token);
    },
  };
}
