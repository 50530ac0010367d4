import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { AUDIT_EVENTS } from '../../audit/contract.js';
import { browserName } from '../../platform/browser-name.js';
import type { ApiAccount, ApiAuditEvent } from './api.js';
import { type Console, page, refuse, show } from './desk.js';
import { accountsOf, word } from './queue-page.js';

const ROWS = 50;
/** Facts that say more to a machine than to a reader. */
const HIDDEN = new Set(['requestId', 'browser']);
/** Shown last and quietly. */
const IS_ID = /Id$|^kid$/;

/** Whose names a reader wants: who did it, to whom, who had allowed it. */
export const peopleIn = ({ actor, accountId, details }: ApiAuditEvent): string[] =>
  [actor.type === 'account' ? actor.id : undefined, accountId, details?.allowedBy].filter(
    (id): id is string => typeof id === 'string' && id !== '',
  );

/** One event for a reader: who did what to whom, from where. */
export function auditRow(desk: Console, event: ApiAuditEvent, accounts: ReadonlyMap<string, ApiAccount>) {
  const { actor, accountId, origin, details = {} } = event;
  const nameOf = (id: string | undefined): string | undefined => (id ? (accounts.get(id)?.name ?? id) : undefined);
  return {
    at: event.at,
    type: event.type,
    actorType: actor.type,
    actor: actor.type === 'account' || actor.type === 'client' ? nameOf(actor.id) : undefined,
    isOwn: actor.type === 'account' && actor.id === accountId,
    ...(accountId
      ? { target: nameOf(accountId), targetHref: desk.url(`/console/people/${encodeURIComponent(accountId)}`) }
      : {}),
    clientId: event.clientId,
    ip: origin?.ip,
    browser: browserName(origin?.userAgent),
    details: Object.entries(details)
      .filter(([name]) => !HIDDEN.has(name))
      .map(([name, value]) => ({
        name,
        isId: IS_ID.test(name),
        value: value instanceof Date ? value : [value].flat().map(String).join(', '),
      }))
      .map((detail) =>
        detail.name === 'allowedBy' ? { ...detail, value: nameOf(String(detail.value)) ?? '' } : detail,
      )
      .sort((a, b) => Number(a.isId) - Number(b.isId)),
  };
}

const dayStart = (value: string | undefined): string | undefined =>
  value && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)) ? `${value}T00:00:00.000Z` : undefined;

/** What has happened, newest first; the same filters lead to a file. */
export function mountAudit(desk: Console): void {
  const filterOf = (query: Readonly<Record<string, unknown>>) => {
    const shown = {
      type: AUDIT_EVENTS.find((type) => type === query.type),
      actor: word(query.actor)?.trim(),
      target: word(query.target)?.trim(),
      since: word(query.since),
      until: word(query.until),
    };
    return { shown, sent: { ...shown, since: dayStart(shown.since), until: dayStart(shown.until) } };
  };
  const chosen = (filter: Readonly<Record<string, string | undefined>>): [string, string][] =>
    Object.entries(filter).filter((entry): entry is [string, string] => Boolean(entry[1]));

  page(desk, '/console/audit', 'audit', async (ctx, administrator) => {
    const { shown, sent } = filterOf(ctx.query);
    const answer = await administrator.api.auditEvents({
      ...sent,
      cursor: word(ctx.query.cursor),
      limit: String(ROWS),
    });
    if (!answer.ok) return answer.refusal;
    const { items, next } = answer.data;
    const accounts = await accountsOf(administrator.api, items.flatMap(peopleIn));
    const query = new URLSearchParams(chosen(shown));
    show(desk, ctx, administrator, 'audit', 'audit', {
      action: desk.url('/console/audit'),
      filter: shown,
      types: AUDIT_EVENTS,
      isFiltered: query.size > 0,
      isLaterPage: ctx.query.cursor !== undefined,
      rows: items.map((event) => auditRow(desk, event, accounts)),
      exportHref: desk.url(`/console/audit/export${query.size > 0 ? `?${query}` : ''}`),
      ...(next
        ? { nextHref: desk.url(`/console/audit?${new URLSearchParams([...chosen(shown), ['cursor', next]])}`) }
        : {}),
    });
    return undefined;
  });

  /** The API's own answer, handed through piece by piece: nobody holds a year of events in memory. */
  desk.pages.get('/console/audit/export', async (ctx) => {
    const administrator = await desk.administrators.require(ctx);
    if (!administrator) return;
    const { sent } = filterOf(ctx.query);
    const answer = await administrator.stream('/audit-events', {
      query: sent,
      accept: 'application/x-ndjson',
    });
    if (!answer.ok) return refuse(desk, ctx, administrator, 'audit', answer.refusal);
    const day = desk.clock.now().toISOString().slice(0, 10);
    ctx.status = 200;
    ctx.set('Content-Type', 'application/x-ndjson');
    ctx.attachment(`audit-${day}.ndjson`);
    ctx.type = 'application/x-ndjson';
    const { body } = answer.data;
    ctx.body = body ? Readable.fromWeb(body as unknown as NodeReadableStream) : '';
  });
}
