import { z } from 'zod';
import { AUDIT_EVENTS, type AuditFilter, type StoredAuditEvent } from '../../../audit/index.js';
import { listOf, listReply, pageOf, pageQuery } from '../lists.js';
import { type Route, route } from '../route.js';
import { id, instant, queryInstant, shown } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';

/** An export is a file to read, not a copy of the database. */
const MOST_LINES = 100_000;
const PAGE = 200;

const eventSchema = z
  .strictObject({
    id,
    at: instant,
    type: z.enum(AUDIT_EVENTS),
    actor: z.strictObject({
      type: z.enum(['account', 'system', 'operator', 'client', 'anonymous']),
      id: z.string().optional(),
    }),
    accountId: id.optional().meta({ description: 'The account it is about.' }),
    clientId: z.string().optional(),
    sessionId: z.string().optional(),
    origin: z
      .strictObject({ requestId: z.string(), ip: z.string().optional(), userAgent: z.string().optional() })
      .optional(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
  })
  .meta({ id: 'AuditEvent' });

const show = ({ at, origin, sessionUid, ...event }: StoredAuditEvent): z.output<typeof eventSchema> => ({
  id: event.id,
  at: shown(at),
  type: event.type,
  actor: event.actor,
  ...(event.accountId === undefined ? {} : { accountId: event.accountId }),
  ...(event.clientId === undefined ? {} : { clientId: event.clientId }),
  ...(sessionUid === undefined ? {} : { sessionId: sessionUid }),
  ...(origin
    ? {
        origin: {
          requestId: origin.requestId,
          ...(origin.ip === undefined ? {} : { ip: origin.ip }),
          ...(origin.userAgent === undefined ? {} : { userAgent: origin.userAgent }),
        },
      }
    : {}),
  ...(event.details ? { details: event.details } : {}),
});

/** Who did what, when and from where. Nothing changes or removes an event. */
export function auditEventRoutes({ audit, tell }: ApiServices): Route[] {
  async function* lines(filter: AuditFilter) {
    let after: Awaited<ReturnType<typeof audit.page>>['next'];
    for (let count = 0; count < MOST_LINES; count += PAGE) {
      const page = await audit.page(filter, { limit: PAGE, ...(after ? { after } : {}) });
      for (const event of page.items) yield show(event);
      after = page.next;
      if (!after) return;
    }
  }

  return [
    route({
      id: 'listAuditEvents',
      method: 'GET',
      path: '/audit-events',
      tag: 'Audit',
      summary: 'Events, newest first',
      description: `With \`Accept: application/x-ndjson\` all that the filter finds, one event per line, ${MOST_LINES} at most; \`limit\` and \`cursor\` do not count then.`,
      scope: 'audit:read',
      scripts: true,
      query: z.strictObject({
        ...pageQuery,
        type: z.enum(AUDIT_EVENTS).optional(),
        actor: id.optional().meta({ description: 'Id of the account or client that did it.' }),
        target: id.optional().meta({ description: 'Id of the account it is about.' }),
        since: queryInstant.optional(),
        until: queryInstant.optional(),
      }),
      responses: { 200: { description: 'A page.', schema: listOf(eventSchema, 'AuditEvents') } },
      ndjson: eventSchema,
      async handle({ query: { type, actor: actorId, target, since, until, ...page }, href, wantsLines, actor }) {
        const filter: AuditFilter = {
          ...(type ? { type } : {}),
          ...(actorId ? { actorId } : {}),
          ...(target ? { accountId: target } : {}),
          ...(since ? { since } : {}),
          ...(until ? { until } : {}),
        };
        if (wantsLines) {
          const facts = { filters: Object.keys(filter) };
          await tell({ type: 'audit_exported', by: actor, facts });
          return { status: 200, lines: lines(filter) };
        }
        return listReply(await audit.page(filter, pageOf(page)), href, show);
      },
    }),
  ];
}
