import type { Context } from 'koa';
import type { CookieSettings } from '../http/index.js';

const KEPT = 6;
const DAY_MS = 86_400_000;

/**
 * Which application each of this browser's last sign-ins was for, kept in a cookie for 24 h: after the interaction itself
 * is gone (back button, reload, expiry) the page can still say where to start again. Nothing is stored on the server, and
 * nothing rests on it: the cookie is not signed, since a host's application need not have keys.
 */
export interface StartedSignIns {
  remember(ctx: Context, uid: string, clientId: string): void;
  clientOf(ctx: Context, uid: string | undefined): string | undefined;
}

export function createStartedSignIns(cookies: CookieSettings): StartedSignIns {
  const name = cookies.name('started');
  const read = (ctx: Context): [uid: string, clientId: string][] =>
    (ctx.cookies.get(name, { signed: false }) ?? '')
      .split('~')
      .map((entry) => entry.split(':'))
      .flatMap(([uid, clientId]) =>
        uid && clientId ? [[uid, Buffer.from(clientId, 'base64url').toString()] as [string, string]] : [],
      );
  return {
    remember(ctx, uid, clientId) {
      const entries = [[uid, clientId] as const, ...read(ctx).filter(([other]) => other !== uid)].slice(0, KEPT);
      const value = entries.map(([id, client]) => `${id}:${Buffer.from(client).toString('base64url')}`).join('~');
      ctx.cookies.set(name, value, { ...cookies.options, signed: false, maxAge: DAY_MS });
    },
    clientOf: (ctx, uid) => read(ctx).find(([id]) => id === uid)?.[1],
  };
}
