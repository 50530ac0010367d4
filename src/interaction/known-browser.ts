import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import type { CookieSettings } from '../http/index.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';

const YEAR_MS = 365 * 86_400_000;
const LOGINS_PER_BROWSER = 4;

/**
 * Marks a browser from which an account has signed in before. It proves nothing and skips nothing: it only gives the owner
 * a throttle bucket of their own, so that a stranger's wrong passwords cannot make them wait.
 */
export interface KnownBrowser {
  /** The browser's id when `login` has signed in from it. */
  idFor(ctx: Context, login: string): string | undefined;
  remember(ctx: Context, login: string): void;
}

export function createKnownBrowser(deps: {
  cookies: CookieSettings;
  random: Random;
  secretBox: SecretBox;
}): KnownBrowser {
  const name = deps.cookies.name('known');
  const mark = (id: string, login: string): string =>
    deps.secretBox.index(`${id} ${login.normalize('NFKC').trim().toLowerCase()}`, 'known-browser').slice(0, 22);
  const read = (ctx: Context): { id?: string; marks: string[] } => {
    const [id, ...marks] = (ctx.cookies.get(name, { signed: false }) ?? '').split('~');
    return id && /^[\w-]{16,32}$/.test(id) ? { id, marks: marks.slice(0, LOGINS_PER_BROWSER) } : { marks: [] };
  };
  const equal = (a: string, b: string): boolean =>
    a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
  return {
    idFor(ctx, login) {
      const { id, marks } = read(ctx);
      return id && marks.some((known) => equal(known, mark(id, login))) ? id : undefined;
    },
    remember(ctx, login) {
      const { id = deps.random.token(128), marks } = read(ctx);
      const own = mark(id, login);
      const kept = [own, ...marks.filter((other) => other !== own)].slice(0, LOGINS_PER_BROWSER);
      ctx.cookies.set(name, [id, ...kept].join('~'), { ...deps.cookies.options, signed: false, maxAge: YEAR_MS });
    },
  };
}
