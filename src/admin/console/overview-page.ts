import { bars, COLUMN_HEIGHT, COLUMN_WIDTH, columns, stackedBar } from './charts.js';
import { type Console, page, show } from './desk.js';
import { nameOf } from './queue-page.js';

/** Nobody counts further by hand. */
const COUNTED = 100;
const SHOWN = 5;

const counted = ({ items, next }: { items: readonly unknown[]; next?: string }) => ({
  count: items.length,
  isMore: next !== undefined,
});

/** How it stands: who is protected, how people sign in, whose second factor is off, who waits. */
export function mountOverview(desk: Console): void {
  page(desk, '/console/overview', 'overview', async (ctx, administrator) => {
    const { api } = administrator;
    const limit = String(COUNTED);
    const [coverage, suspensions, requests, sms] = await Promise.all([
      api.coverage(),
      administrator.may('suspensions:read') ? api.suspensions({ running: 'true', limit }) : undefined,
      administrator.may('recovery:read') ? api.requests({ state: 'open', limit }) : undefined,
      desk.smsCountries ? api.smsReport({ days: '1' }) : undefined,
    ]);
    if (!coverage.ok) return coverage.refusal;
    const { accounts, byMethod, signIns, isFirstEnrolmentWeak } = coverage.data;
    const { active, covered } = accounts;
    const methods = new Set(signIns.flatMap((day) => Object.keys(day.byMethod)));
    const sumOf = (id: string): number => signIns.reduce((sum, day) => sum + (day.byMethod[id] ?? 0), 0);
    const totals = bars([...methods].map((id) => ({ id, value: sumOf(id) })));
    const ids = totals.map(({ id }) => id);
    show(desk, ctx, administrator, 'overview', 'overview', {
      accounts: active,
      covered,
      percent: active > 0 ? Math.floor((100 * covered) / active) : 0,
      coverage: stackedBar([
        { id: 'covered', value: covered },
        { id: 'uncovered', value: active - covered },
      ]),
      isFirstEnrolmentWeak,
      methods: bars(byMethod.map(({ method, accounts: value }) => ({ id: method, value }))),
      signIns: {
        days: signIns.length,
        width: Math.max(1, signIns.length) * COLUMN_WIDTH,
        height: COLUMN_HEIGHT,
        columns: columns(signIns, ids),
        totals: totals.filter(({ value }) => value > 0),
        order: ids,
        values: signIns.map((day) => day.byMethod),
      },
      ...(suspensions?.ok
        ? {
            suspended: counted(suspensions.data),
            suspensions: suspensions.data.items.slice(0, SHOWN).map(({ account, until }) => ({
              name: nameOf(account),
              href: desk.url(`/console/people/${encodeURIComponent(account.id)}`),
              until,
            })),
          }
        : {}),
      ...(requests?.ok ? { open: counted(requests.data), oldestAt: requests.data.items.at(-1)?.createdAt } : {}),
      ...(sms?.ok
        ? {
            sms: {
              messages: sms.data.budget.messages,
              limit: sms.data.budget.messagesLimit,
              stopped: sms.data.countries.filter(({ because }) => because === 'conversion').length,
              href: desk.url('/console/sms'),
            },
          }
        : {}),
      queueHref: desk.url('/console'),
      uncoveredHref: desk.url('/console/people?covered=false'),
    });
    return undefined;
  });
}
