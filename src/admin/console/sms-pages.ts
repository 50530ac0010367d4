import type { Administrator } from './administrators.js';
import type { ApiSmsReport } from './api.js';
import { BAR_WIDTH, COLUMN_HEIGHT, COLUMN_WIDTH, columns } from './charts.js';
import { type Console, formPage, leadTo, page, show } from './desk.js';
import { word } from './queue-page.js';

const DAYS = 30;
const DAY_MS = 86_400_000;
const PARTS = ['used', 'unused'];

const listPath = '/console/sms';
const countryPath = (country: string, decision: string): string =>
  `${listPath}/countries/${encodeURIComponent(country)}/${decision}`;

/** What was used of a limit, as a bar. */
const gauge = (value: number, limit: number): { width: number; percent: number } => {
  const share = limit > 0 ? Math.min(1, value / limit) : 1;
  return { width: Math.round(BAR_WIDTH * share), percent: Math.floor(100 * share) };
};

/** Every day of the report, oldest first: those without a message as well. */
function chartOf({ budget, days }: ApiSmsReport) {
  const counts = new Map(days.map((one) => [one.day, one]));
  const today = Date.parse(`${budget.day}T00:00:00Z`);
  return columns(
    Array.from({ length: DAYS }, (_, n) => {
      const day = new Date(today - (DAYS - 1 - n) * DAY_MS).toISOString().slice(0, 10);
      const { sent = 0, used = 0 } = counts.get(day) ?? {};
      return { day, total: sent, byMethod: { used, unused: Math.max(0, sent - used) } };
    }),
    PARTS,
  );
}

/** Text messages: what they cost today, what came back, and the countries they go to. */
export function mountSms(desk: Console): void {
  const { smsCountries } = desk;
  if (!smsCountries) return;

  const withHref = (administrator: Administrator) => (one: ApiSmsReport['countries'][number]) => ({
    ...one,
    ...(one.conversion === undefined ? {} : { percent: Math.round(100 * one.conversion) }),
    ...(administrator.may('sms:write')
      ? { href: desk.url(countryPath(one.country, one.state === 'open' ? 'close' : 'open')) }
      : {}),
  });

  page(desk, listPath, 'sms', async (ctx, administrator) => {
    const answer = await administrator.api.smsReport({ days: String(DAYS) });
    if (!answer.ok) return answer.refusal;
    const { currency, budget, days } = answer.data;
    const countries = answer.data.countries.map(withHref(administrator));
    const { amountLimit } = budget;
    const decided = word(ctx.query.country) ?? '';
    show(desk, ctx, administrator, 'sms', 'sms', {
      currency,
      budget: {
        ...budget,
        messagesGauge: gauge(budget.messages, budget.messagesLimit),
        ...(amountLimit === undefined ? {} : { amountGauge: gauge(Number(budget.amount), Number(amountLimit)) }),
      },
      stopped: countries.filter(
        ({ state, because }) => state === 'closed' && (because === 'conversion' || because === 'administrator'),
      ),
      chart: {
        days: DAYS,
        width: DAYS * COLUMN_WIDTH,
        height: COLUMN_HEIGHT,
        columns: chartOf(answer.data),
        parts: PARTS,
      },
      days,
      countries,
      ...(smsCountries.includes(decided) ? { done: word(ctx.query.done), decided } : {}),
      ...(administrator.may('sms:write')
        ? { decideAction: desk.url(`${listPath}/decide`), choices: smsCountries }
        : {}),
    });
    return undefined;
  });

  page(desk, `${listPath}/decide`, 'sms', async (ctx, { api }) => {
    const found = await api.smsCountry(word(ctx.query.country) ?? '');
    if (!found.ok) return found.refusal;
    leadTo(desk, ctx, countryPath(found.data.country, found.data.state === 'open' ? 'close' : 'open'));
    return undefined;
  });

  for (const [decision, state] of [
    ['close', 'closed'],
    ['open', 'open'],
  ] as const) {
    formPage(desk, {
      path: `${listPath}/countries/:country/${decision}`,
      section: 'sms',
      fields: { etag: 200 },
      async show(ctx, administrator, { country = '' }, filled) {
        const found = await administrator.api.smsCountry(country);
        if (!found.ok) return found.refusal;
        show(desk, ctx, administrator, 'sms', 'country', {
          ...filled,
          ...found.data,
          decision,
          etag: found.etag ?? '',
          backHref: desk.url(listPath),
        });
        return undefined;
      },
      send: ({ api }, { etag }, { country = '' }) => api.setSmsCountry(country, state, etag),
      async done(ctx, _administrator, { country }) {
        leadTo(desk, ctx, `${listPath}?${new URLSearchParams({ done: decision, country })}`);
      },
    });
  }
}
