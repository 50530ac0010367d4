import type { Context } from 'koa';
import type { EventStreams } from '../../http/index.js';
import { browserName } from '../../platform/browser-name.js';
import type { ChangeWatcher } from '../../platform/change-watcher.js';
import { mayActOn } from '../index.js';
import { type Administrator, hereOf } from './administrators.js';
import type { Api, ApiAccount, ApiAccountReference, ApiRequest } from './api.js';
import { type Console, page, show } from './desk.js';

const STATES = ['open', 'approved', 'declined', 'all'] as const;
type ShownState = (typeof STATES)[number];
const ROWS = 50;

export const word = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= 500 ? value : undefined;

/** The accounts with these ids; one that is gone is left out. */
export async function accountsOf(api: Api, ids: readonly string[]): Promise<ReadonlyMap<string, ApiAccount>> {
  const answers = await Promise.all([...new Set(ids)].map((id) => api.account(id)));
  return new Map(answers.flatMap((answer) => (answer.ok ? [[answer.data.id, answer.data] as const] : [])));
}

/** Nothing but the id is left of an account that was deleted. */
export const nameOf = ({ id, name }: Pick<ApiAccountReference, 'id' | 'name'>): string => name || id;

/** Why this administrator may not decide about this account: their own, or of a role out of their reach. */
export function outOfReach({ accountId, roles }: Administrator, account: Pick<ApiAccountReference, 'id' | 'roles'>) {
  if (accountId === account.id) return 'own';
  return mayActOn(roles, account.roles) ? undefined : 'role';
}

const row = (desk: Console, administrator: Administrator, request: ApiRequest) => ({
  href: desk.url(`/console/requests/${encodeURIComponent(request.id)}`),
  state: request.state,
  createdAt: request.createdAt,
  ageSeconds: Math.max(0, Math.round((desk.clock.now().getTime() - request.createdAt.getTime()) / 1000)),
  name: nameOf(request.account),
  login: request.account.login,
  groups: request.account.groups,
  circumstances: request.circumstances,
  ip: request.origin.ip,
  browser: browserName(request.origin.userAgent),
  isKnownBrowser: request.isKnownBrowser,
  failedMethods: request.failedMethods,
  openRequests: request.openRequestsOfAccount,
  outOfReach: outOfReach(administrator, request.account),
});

/** The queue: who cannot get in right now. Live where there is JavaScript, a link to press where there is none. */
export function mountQueue(
  desk: Console,
  { watcher, eventStreams }: { watcher: Pick<ChangeWatcher, 'onAny'>; eventStreams: EventStreams },
): void {
  const stateOf = (ctx: Context): ShownState => STATES.find((state) => state === ctx.query.state) ?? 'open';
  const path = '/console';

  page(desk, path, 'queue', async (ctx, administrator) => {
    const state = stateOf(ctx);
    const cursor = word(ctx.query.cursor);
    const answer = await administrator.api.requests({
      ...(state === 'all' ? {} : { state }),
      cursor,
      limit: String(ROWS),
    });
    if (!answer.ok) return answer.refusal;
    const { items, next } = answer.data;
    const rows = items.map((request) => row(desk, administrator, request));
    // Whoever has waited longest comes first.
    if (state === 'open' && !cursor && !next) rows.reverse();
    show(desk, ctx, administrator, 'queue', 'queue', {
      state,
      tabs: STATES.map((id) => ({ id, href: desk.url(id === 'open' ? path : `${path}?state=${id}`) })),
      rows,
      isLive: state === 'open' && !cursor,
      eventsHref: desk.url('/console/queue/events'),
      refreshHref: hereOf(ctx),
      hasMore: Boolean(next),
      ...(next ? { nextHref: desk.url(`${path}?${new URLSearchParams({ state, cursor: next })}`) } : {}),
    });
    return undefined;
  });

  /** Says that something has changed and nothing else: what it was, the page asks for like any other. */
  desk.pages.get('/console/queue/events', async (ctx) => {
    const session = await desk.sessions.find(ctx);
    const stream = session?.tokens.scopes.includes('recovery:read')
      ? eventStreams.open(ctx, `console/${session.id}`)
      : undefined;
    if (!stream) {
      // The browser asks no more after this (HTML standard, server-sent events).
      ctx.status = 204;
      return;
    }
    stream.onEnd(watcher.onAny(() => stream.send('changed')));
  });
}
