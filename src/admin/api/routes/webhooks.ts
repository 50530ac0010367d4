import { z } from 'zod';
import {
  DELIVERY_STATES,
  type UrlProblem,
  WEBHOOK_DESCRIPTION_LENGTH,
  WEBHOOK_EVENTS,
  WEBHOOK_STATES,
  WEBHOOK_URL_LENGTH,
  type Webhook,
  type WebhookDelivery,
} from '../../../webhooks/index.js';
import { changedMeanwhile } from '../etag.js';
import { listOf, listReply, pageOf, pageQuery } from '../lists.js';
import { ApiProblem, notFound } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { id, instant, shown, shownIf } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';

const event = z.enum(WEBHOOK_EVENTS).meta({ id: 'WebhookEvent' });
const state = z.enum(WEBHOOK_STATES);
const url = z.string().min(1).max(WEBHOOK_URL_LENGTH);
const events = z.array(event).min(1).max(WEBHOOK_EVENTS.length);
const description = z.string().min(1).max(WEBHOOK_DESCRIPTION_LENGTH);

const webhookFields = {
  id,
  url: z.string(),
  events: z.array(event),
  description: z.string().optional(),
  state,
  disabledBecause: z.enum(['administrator', 'gone']).optional(),
  failingSince: instant.optional(),
  createdAt: instant,
  updatedAt: instant,
};
const webhookSchema = z.strictObject(webhookFields).meta({ id: 'Webhook' });
const withSecret = z
  .strictObject({ ...webhookFields, secret: z.string().optional(), secretsWithheld: z.boolean().optional() })
  .meta({ id: 'WebhookWithSecret', description: '`secret` is shown once: not when the request is repeated.' });
const deliverySchema = z
  .strictObject({
    id,
    webhookId: id,
    event,
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    createdAt: instant,
    lastAttemptAt: instant.optional(),
    responseStatus: z.int().optional(),
    failure: z.string().optional(),
  })
  .meta({ id: 'WebhookDelivery' });

const show = ({
  createdAt,
  updatedAt,
  failingSince,
  version: _,
  ...rest
}: Webhook): z.output<typeof webhookSchema> => ({
  ...rest,
  ...shownIf('failingSince', failingSince),
  createdAt: shown(createdAt),
  updatedAt: shown(updatedAt),
});
const showDelivery = ({ createdAt, lastAttemptAt, ...rest }: WebhookDelivery): z.output<typeof deliverySchema> => ({
  ...rest,
  createdAt: shown(createdAt),
  ...shownIf('lastAttemptAt', lastAttemptAt),
});

const URL_REFUSALS: Readonly<Record<UrlProblem, string>> = {
  malformed: 'must be an absolute address',
  not_https: 'must be https',
  has_credentials: 'must hold no user name and no password',
  private_address: 'must not be on a private network, unless the configuration lists its origin',
};
const urlRefused = (problem: UrlProblem): ApiProblem =>
  new ApiProblem('API_INPUT_INVALID', { errors: [{ path: 'body.url', message: URL_REFUSALS[problem] }] });

const params = z.object({ webhookId: id });
const deliveryParams = z.object({ webhookId: id, deliveryId: id });

/** Endpoints of other tools that are told what happened here. */
export function webhookRoutes({ base, webhooks, database, tell }: ApiServices): Route[] {
  const subject = async (call: { params: { webhookId: string } }): Promise<Subject<Webhook> | undefined> => {
    const webhook = await webhooks.find(call.params.webhookId);
    return webhook && { value: webhook, representation: show(webhook) };
  };
  const delivery = async (call: {
    params: { webhookId: string; deliveryId: string };
  }): Promise<Subject<WebhookDelivery> | undefined> => {
    const { webhookId, deliveryId } = call.params;
    const found = await webhooks.findDelivery(webhookId, deliveryId);
    return found && { value: found, representation: showDelivery(found) };
  };
  const reading = { tag: 'Webhooks', scope: 'webhooks:read', scripts: true } as const;
  const writing = { tag: 'Webhooks', scope: 'webhooks:write', fresh: true } as const;

  return [
    route({
      ...reading,
      id: 'listWebhooks',
      method: 'GET',
      path: '/webhooks',
      summary: 'Endpoints, newest first',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page.', schema: listOf(webhookSchema, 'Webhooks') } },
      handle: async ({ query, href }) => listReply(await webhooks.list(pageOf(query)), href, show),
    }),
    route({
      ...reading,
      id: 'getWebhook',
      method: 'GET',
      path: '/webhooks/{webhookId}',
      summary: 'One endpoint',
      params,
      subject,
      responses: { 200: { description: 'The endpoint.', schema: webhookSchema } },
      handle: async ({ subject: webhook }) => ({ status: 200, body: show(webhook) }),
    }),
    route({
      ...writing,
      id: 'createWebhook',
      method: 'POST',
      path: '/webhooks',
      summary: 'Make an endpoint; its secret is shown once',
      body: z
        .strictObject({ url, events, description: description.optional(), state: state.optional() })
        .meta({ id: 'NewWebhook' }),
      secrets: ['secret'],
      responses: { 201: { description: 'Made.', schema: withSecret } },
      async handle({ body, actor }) {
        const created = await database.transaction(async (unit) => {
          const made = await webhooks.create(
            {
              url: body.url,
              events: body.events,
              ...(body.description === undefined ? {} : { description: body.description }),
              ...(body.state === undefined ? {} : { state: body.state }),
            },
            unit,
          );
          if (made.status === 'created')
            await tell({ type: 'webhook_created', by: actor, facts: { webhookId: made.webhook.id } }, unit);
          return made;
        });
        if (created.status === 'url_refused') throw urlRefused(created.problem);
        const Location = `${base}/webhooks/${created.webhook.id}`;
        return { status: 201, body: { ...show(created.webhook), secret: created.secret }, headers: { Location } };
      },
    }),
    route({
      ...writing,
      id: 'changeWebhook',
      method: 'PATCH',
      path: '/webhooks/{webhookId}',
      summary: 'Change an endpoint (merge patch)',
      params,
      body: z
        .strictObject({
          url: url.optional(),
          events: events.optional(),
          description: description.nullable().optional(),
          state: state.optional(),
        })
        .meta({ id: 'WebhookChanges' }),
      subject,
      responses: { 200: { description: 'As it is now.', schema: webhookSchema } },
      async handle({ subject: { id: webhookId, version }, body, actor }) {
        const changes = {
          ...(body.url === undefined ? {} : { url: body.url }),
          ...(body.events === undefined ? {} : { events: body.events }),
          ...(body.description === undefined ? {} : { description: body.description }),
          ...(body.state === undefined ? {} : { state: body.state }),
        };
        const updated = await database.transaction(async (unit) => {
          const outcome = await webhooks.update(webhookId, changes, version, unit);
          const facts = { webhookId, fields: Object.keys(changes) };
          if (outcome.status === 'updated') await tell({ type: 'webhook_updated', by: actor, facts }, unit);
          return outcome;
        });
        if (updated.status === 'url_refused') throw urlRefused(updated.problem);
        if (updated.status !== 'updated') throw changedMeanwhile();
        return { status: 200, body: show(updated.webhook) };
      },
    }),
    route({
      ...writing,
      id: 'removeWebhook',
      method: 'DELETE',
      path: '/webhooks/{webhookId}',
      summary: 'Remove an endpoint',
      params,
      subject,
      responses: { 204: { description: 'Removed.' } },
      async handle({ subject: { id: webhookId, version }, actor }) {
        const removed = await database.transaction(async (unit) => {
          const outcome = await webhooks.remove(webhookId, version, unit);
          if (outcome.status === 'removed')
            await tell({ type: 'webhook_removed', by: actor, facts: { webhookId } }, unit);
          return outcome;
        });
        if (removed.status !== 'removed') throw changedMeanwhile();
        return { status: 204 };
      },
    }),
    route({
      ...writing,
      id: 'rotateWebhookSecret',
      method: 'POST',
      path: '/webhooks/{webhookId}/rotate-secret',
      summary: 'Make a new secret; the one before still signs for a day',
      params,
      subject,
      secrets: ['secret'],
      responses: { 200: { description: 'With the new secret.', schema: withSecret } },
      async handle({ subject: { id: webhookId }, actor }) {
        const rotated = await database.transaction(async (unit) => {
          const facts = { webhookId, fields: ['secret'] };
          const outcome = await webhooks.rotateSecret(webhookId, unit);
          if (outcome) await tell({ type: 'webhook_updated', by: actor, facts }, unit);
          return outcome;
        });
        if (!rotated) throw notFound();
        return { status: 200, body: { ...show(rotated.webhook), secret: rotated.secret } };
      },
    }),
    route({
      ...reading,
      id: 'listDeliveries',
      method: 'GET',
      path: '/webhooks/{webhookId}/deliveries',
      summary: 'What was sent to an endpoint, newest first',
      params,
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page.', schema: listOf(deliverySchema, 'WebhookDeliveries') } },
      async handle({ params: { webhookId }, query, href }) {
        if (!(await webhooks.find(webhookId))) throw notFound();
        return listReply(await webhooks.deliveries(webhookId, pageOf(query)), href, showDelivery);
      },
    }),
    route({
      ...writing,
      id: 'redeliver',
      method: 'POST',
      path: '/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver',
      summary: 'Send it once more, under the same webhook-id',
      params: deliveryParams,
      subject: delivery,
      responses: { 202: { description: 'It is on its way.' } },
      problems: ['WEBHOOK_DISABLED'],
      async handle({ params: { webhookId, deliveryId }, actor }) {
        const outcome = await database.transaction(async (unit) => {
          const redelivered = await webhooks.redeliver(webhookId, deliveryId, unit);
          const facts = { webhookId, deliveryId };
          if (redelivered === 'queued') await tell({ type: 'webhook_redelivered', by: actor, facts }, unit);
          return redelivered;
        });
        if (outcome === 'not_found') throw notFound();
        if (outcome === 'disabled') throw new ApiProblem('WEBHOOK_DISABLED');
        return { status: 202 };
      },
    }),
  ];
}
