import type { ApiAccount } from './api.js';
import { type Console, page, show } from './desk.js';
import { word } from './queue-page.js';

const ROWS = 50;
const STATES = ['active', 'deactivated'] as const;
const COVERED = ['true', 'false'] as const;

/** What a row and a profile's header say at a glance. */
export const standingOf = ({ active, covered, suspension }: ApiAccount): string => {
  if (!active) return 'deactivated';
  if (suspension) return 'suspended';
  return covered ? 'protected' : 'unprotected';
};

/** Everybody: search and filters, page by page. */
export function mountPeople(desk: Console): void {
  page(desk, '/console/people', 'people', async (ctx, administrator) => {
    const filter = {
      q: word(ctx.query.q)?.trim(),
      group: word(ctx.query.group)?.trim(),
      state: STATES.find((state) => state === ctx.query.state),
      covered: COVERED.find((covered) => covered === ctx.query.covered),
    };
    const answer = await administrator.api.accounts({ ...filter, cursor: word(ctx.query.cursor), limit: String(ROWS) });
    if (!answer.ok) return answer.refusal;
    const { items, next } = answer.data;
    const chosen = Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]));
    show(desk, ctx, administrator, 'people', 'people', {
      action: desk.url('/console/people'),
      filter,
      states: STATES,
      isFiltered: chosen.length > 0,
      isLaterPage: ctx.query.cursor !== undefined,
      rows: items.map((account) => ({
        href: desk.url(`/console/people/${encodeURIComponent(account.id)}`),
        name: account.name,
        login: account.login,
        groups: account.groups,
        roles: account.roles,
        standing: standingOf(account),
        level: account.level,
        until: account.suspension?.until,
      })),
      ...(next ? { nextHref: desk.url(`/console/people?${new URLSearchParams([...chosen, ['cursor', next]])}`) } : {}),
    });
    return undefined;
  });
}
