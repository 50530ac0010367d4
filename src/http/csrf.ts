import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { CookieSettings } from './cookies.js';

/**
 * Two locks on every form (OWASP ASVS 5.0 3.5): the browser's own word for where a POST comes from, and a token that only
 * our pages can know, tied to a cookie of the browser.
 */
export interface Csrf {
  /** A keyed hash that tells this browser from others; undefined before it has our cookie. */
  browserOf(ctx: Context): string | undefined;
  /** The hidden field's value; sets the cookie at its first use. */
  token(ctx: Context): string;
  /** @throws AppError REQUEST_FOREIGN_ORIGIN */
  checkOrigin(ctx: Context): void;
  /** @throws AppError REQUEST_FORGED */
  checkToken(ctx: Context, token: string): void;
}

export function createCsrf(deps: {
  issuer: string;
  cookies: CookieSettings;
  random: Random;
  secretBox: SecretBox;
}): Csrf {
  const ownOrigin = new URL(deps.issuer).origin;
  const name = deps.cookies.name('csrf');
  const tokenFor = (value: string): string => deps.secretBox.index(value, 'csrf');
  return {
    browserOf(ctx) {
      const value = ctx.cookies.get(name, { signed: false });
      return value ? deps.secretBox.index(value, 'browser').slice(0, 22) : undefined;
    },
    token(ctx) {
      let value: string | undefined = ctx.state.csrfCookie ?? ctx.cookies.get(name, { signed: false });
      if (!value || value.length > 64) {
        value = deps.random.token(128);
        ctx.cookies.set(name, value, { ...deps.cookies.options, signed: false });
      }
      ctx.state.csrfCookie = value;
      return tokenFor(value);
    },
    checkOrigin(ctx) {
      const origin = ctx.get('origin');
      const site = ctx.get('sec-fetch-site');
      const isForeign = origin
        ? origin !== ownOrigin && !(origin === 'null' && site === 'same-origin')
        : site === 'cross-site' || site === 'same-site';
      if (isForeign) throw new AppError('REQUEST_FOREIGN_ORIGIN', 'form posted from another origin');
    },
    checkToken(ctx, token) {
      const value = ctx.cookies.get(name, { signed: false });
      const expected = Buffer.from(value ? tokenFor(value) : '');
      const given = Buffer.from(token);
      if (!value || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new AppError('REQUEST_FORGED', 'CSRF token missing or wrong');
      }
    },
  };
}
