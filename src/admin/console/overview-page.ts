import { bars, stackedBar } from './charts.js';
import { type Console, page, show } from './desk.js';
import { nameOf } from './queue-page.js';

const SHOWN = 5;

/** How it stands: who is protected, how people sign in, whose second factor is off, who waits. */
export function mountOverview(desk: Console): void {
  page(desk, '/console/overview', 'overview', async (ctx, administrator) => {
    const { api } = administrator;
    const [coverage, suspensions, requests] = await Promise.all([
      api.coverage(),
      administrator.may('suspensions:read') ? api.suspensions({ running: 'true', limit: String(SHOWN) }) : undefined,
      administrator.may('recovery:read') ? api.requests({ state: 'open', limit: String(SHOWN) }) : undefined,
    ]);
    if (!coverage.ok) return coverage.refusal;
    const running = suspensions?.ok ? suspensions.data.items : [];
    const { accounts, covered, suspended, openRequests, byMethod } = coverage.data;
    show(desk, ctx, administrator, 'overview', 'overview', {
      accounts,
      covered,
      percent: accounts > 0 ? Math.floor((100 * covered) / accounts) : 0,
      coverage: stackedBar([
        { id: 'covered', value: covered },
        { id: 'uncovered', value: accounts - covered },
      ]),
      signIns: bars(Object.entries(byMethod).map(([id, value]) => ({ id, value }))),
      suspended,
      suspensions: running.map(({ account, until }) => ({
        name: nameOf(account),
        href: desk.url(`/console/people/${encodeURIComponent(account.id)}`),
        until,
      })),
      openRequests,
      oldestAt: requests?.ok ? requests.data.items.at(-1)?.createdAt : undefined,
      queueHref: desk.url('/console'),
      uncoveredHref: desk.url('/console/people?covered=false'),
    });
    return undefined;
  });
}
