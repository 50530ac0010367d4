import type { Context } from 'koa';
import { AppError } from '../../errors.js';
import type { OwnRequest } from '../../recovery-desk/contract.js';
import type { HostedPages } from '../hosted-pages.js';

const LONGEST_ID = 128;

/** What lets the waiting page go on by itself: it listens, and asks where it cannot. Neither needs the sign-in. */
export function mountRequestEvents({ pages, desk, recoveryCookie, streams }: HostedPages): void {
  const find = async (ctx: Context): Promise<{ request: OwnRequest; browserHash: string }> => {
    const browserHash = recoveryCookie.hashOf(ctx);
    const { account } = ctx.query;
    const isId = typeof account === 'string' && account !== '' && account.length <= LONGEST_ID;
    const request = browserHash && isId ? await desk.ofBrowser(account, browserHash) : undefined;
    if (!browserHash || !request) throw new AppError('PAGE_NOT_FOUND', 'no request of this browser');
    return { request, browserHash };
  };

  pages.get('/second-factor/:uid/request/events', async (ctx) => {
    const { request, browserHash } = await find(ctx);
    const stream = streams.open(ctx, browserHash);
    if (!stream) throw new AppError('OVERLOADED', 'too many pages of this browser listen', { retryAfterSeconds: 15 });
    const changed = (): void => {
      stream.send('changed');
      stream.end();
    };
    if (request.state !== 'open') return changed();
    stream.onEnd(desk.watcher.onChange(request.id, request.changedAt, changed));
  });

  pages.get('/second-factor/:uid/request/state', async (ctx) => {
    const { request } = await find(ctx);
    ctx.body = { state: request.state };
  });
}
