import type { Middleware, Next } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

const GONE = 'expires=Thu, 01 Jan 1970';

/**
 * The session's cookie lives as long as its session possibly can. The library ends it with the idle time, counted from the
 * last page; but a refresh, of which this browser sees nothing, prolongs the session too. Goes in front of the provider.
 */
export function sessionCookie({
  provider,
  overallSeconds,
}: {
  provider: Pick<Provider, 'cookieName'>;
  overallSeconds: number;
}): Middleware {
  const name = provider.cookieName('session');
  const isOurs = (line: string): boolean => line.startsWith(`${name}=`) || line.startsWith(`${name}.sig=`);
  return (async (ctx: KoaContextWithOIDC, next: Next) => {
    await next();
    const { loginTs } = ctx.oidc?.session ?? {};
    const lines = ctx.response.get('Set-Cookie') as unknown as string[] | '';
    if (loginTs === undefined || !Array.isArray(lines)) return;
    const end = new Date((loginTs + overallSeconds) * 1000).toUTCString();
    ctx.set(
      'Set-Cookie',
      lines.map((line) =>
        isOurs(line) && !line.includes(GONE) ? line.replace(/; expires=[^;]+/i, `; expires=${end}`) : line,
      ),
    );
  }) as unknown as Middleware;
}
