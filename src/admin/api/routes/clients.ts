import { z } from 'zod';
import { ConfigurationError, clientFields, parseClient } from '../../../config/index.js';
import { type ClientMetadata, hasSecret, type RegisteredClient } from '../../operations/index.js';
import type { Caller } from '../caller.js';
import { changedMeanwhile } from '../etag.js';
import { listOf, listReply, pageOf, pageQuery } from '../lists.js';
import { ApiProblem } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { id, instant, level, shown, shownIf } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';

const fields = clientFields.omit({ client_secret_env: true });
const clientSchema = z
  .strictObject({
    ...fields.partial().shape,
    client_id: z.string(),
    response_types: z.array(z.string()).optional(),
    minimum_acr: level.optional(),
    source: z
      .enum(['registered', 'configuration'])
      .meta({ description: '`configuration`: set in the file, read only.' }),
    createdAt: instant.optional(),
    updatedAt: instant.optional(),
    previousSecretUntil: instant.optional().meta({ description: 'Until then the secret before works too.' }),
  })
  .meta({ id: 'Client' });
const withSecret = z
  .strictObject({
    ...clientSchema.shape,
    client_secret: z.string().optional(),
    secretsWithheld: z.boolean().optional(),
  })
  .meta({ id: 'ClientWithSecret', description: '`client_secret` is shown once: not when the request is repeated.' });

const shownMetadata = (metadata: ClientMetadata): Record<string, unknown> =>
  Object.fromEntries(Object.entries(metadata).filter(([name, value]) => name in fields.shape && value !== undefined));

const showRegistered = ({ metadata, createdAt, updatedAt, previousSecretUntil }: RegisteredClient) => ({
  ...shownMetadata(metadata),
  source: 'registered',
  createdAt: shown(createdAt),
  updatedAt: shown(updatedAt),
  ...shownIf('previousSecretUntil', previousSecretUntil),
});
const showConfigured = (metadata: ClientMetadata) => ({ ...shownMetadata(metadata), source: 'configuration' });

type Found = { registered: RegisteredClient } | { configured: ClientMetadata };

/** Relying applications. Those of the configuration file are shown, and changed there. */
export function clientRoutes({ clients, configuredClients, database, operations, ...rest }: ApiServices): Route[] {
  const checked = (raw: Record<string, unknown>): ClientMetadata => {
    const metadata = held(raw);
    const unknown = metadata.resources.findIndex((resource) => !rest.resourceIdentifiers.includes(resource));
    if (unknown < 0) return metadata;
    const message = 'is not the identifier of a resource';
    throw new ApiProblem('API_INPUT_INVALID', { errors: [{ path: `body.resources.${unknown}`, message }] });
  };
  const configured = new Map(configuredClients.map((client) => [client.client_id, client]));

  const subject = async (call: { params: { clientId: string } }): Promise<Subject<Found> | undefined> => {
    const { clientId } = call.params;
    const fixed = configured.get(clientId);
    if (fixed) return { value: { configured: fixed }, representation: showConfigured(fixed) };
    const registered = await clients.stored(clientId);
    return registered && { value: { registered }, representation: showRegistered(registered) };
  };
  /**
   * A client that may use this API acts with the rights of whoever signs in to it: who could register one, or change where its
   * codes go, could borrow the rights of an owner.
   */
  const checkReach = (caller: Caller, metadata: Record<string, unknown>): void => {
    const isPowerful = Array.isArray(metadata.resources) && metadata.resources.includes(rest.base);
    if (!isPowerful || (caller.kind === 'account' && caller.roles.includes('owner'))) return;
    throw new ApiProblem('CLIENT_OUT_OF_REACH');
  };
  const changeable = (found: Found, caller: Caller): RegisteredClient => {
    if ('configured' in found) throw new ApiProblem('CLIENT_CONFIGURED');
    checkReach(caller, found.registered.metadata);
    return found.registered;
  };
  const params = z.object({ clientId: id });
  const reading = { tag: 'Applications', scope: 'clients:read', scripts: true } as const;
  const writing = { tag: 'Applications', scope: 'clients:write', fresh: true } as const;

  return [
    route({
      ...reading,
      id: 'listClients',
      method: 'GET',
      path: '/clients',
      summary: 'Applications, newest first',
      description: 'With `source=configuration` those of the configuration file, all of them.',
      query: z.strictObject({ ...pageQuery, source: z.enum(['registered', 'configuration']).optional() }),
      responses: { 200: { description: 'A page.', schema: listOf(clientSchema, 'Clients') } },
      async handle({ query: { source, ...page }, href }) {
        if (source === 'configuration')
          return { status: 200, body: { items: [...configured.values()].map(showConfigured) } };
        return listReply(await clients.page(pageOf(page)), href, showRegistered);
      },
    }),
    route({
      ...reading,
      id: 'getClient',
      method: 'GET',
      path: '/clients/{clientId}',
      summary: 'One application',
      params,
      subject,
      responses: { 200: { description: 'The application.', schema: clientSchema } },
      handle: async ({ subject: found }) => ({
        status: 200,
        body: 'configured' in found ? showConfigured(found.configured) : showRegistered(found.registered),
      }),
    }),
    route({
      ...writing,
      id: 'createClient',
      method: 'POST',
      path: '/clients',
      summary: 'Register an application; its secret is shown once',
      body: fields.meta({ id: 'NewClient' }),
      secrets: ['client_secret'],
      responses: { 201: { description: 'Registered.', schema: withSecret } },
      problems: ['CLIENT_ID_TAKEN', 'CLIENT_OUT_OF_REACH'],
      async handle({ body, actor, caller }) {
        const metadata = checked(body);
        checkReach(caller, metadata);
        const secret = await operations.clients.register(metadata, actor);
        const stored = await clients.stored(metadata.client_id);
        if (!stored) throw changedMeanwhile();
        return {
          status: 201,
          body: { ...showRegistered(stored), ...(secret ? { client_secret: secret } : {}) },
          headers: { Location: `${rest.base}/clients/${encodeURIComponent(metadata.client_id)}` },
        };
      },
    }),
    route({
      ...writing,
      id: 'changeClient',
      method: 'PATCH',
      path: '/clients/{clientId}',
      summary: 'Change an application (merge patch)',
      params,
      body: z
        .strictObject(nullable(fields.omit({ client_id: true }).partial().shape))
        .meta({ id: 'ClientChanges', description: 'Null sets a field back to its default.' }),
      subject,
      responses: { 200: { description: 'As it is now.', schema: clientSchema } },
      problems: ['CLIENT_CONFIGURED', 'CLIENT_OUT_OF_REACH'],
      async handle({ subject: found, body, actor, caller }) {
        const { metadata: before, version } = changeable(found, caller);
        const given = Object.entries(body).filter(([, value]) => value !== undefined);
        const merged = Object.fromEntries(
          Object.entries({ ...shownMetadata(before), ...Object.fromEntries(given) }).filter(
            ([, value]) => value !== null,
          ),
        );
        // Follows from the grants; what was derived before must not stand in its way.
        delete merged.response_types;
        const metadata = checked({ ...merged, client_id: before.client_id });
        checkReach(caller, metadata);
        if (hasSecret(metadata) !== hasSecret(before)) {
          const message = 'cannot change between having a secret and having none: register anew';
          throw new ApiProblem('API_INPUT_INVALID', {
            errors: [{ path: 'body.token_endpoint_auth_method', message }],
          });
        }
        const changed = await database.transaction(async (unit) => {
          const after = await clients.change(metadata, version, unit);
          const facts = { fields: given.map(([name]) => name) };
          if (after)
            await operations.tell({ type: 'client_updated', clientId: before.client_id, by: actor, facts }, unit);
          return after;
        });
        if (!changed) throw changedMeanwhile();
        return { status: 200, body: showRegistered(changed) };
      },
    }),
    route({
      ...writing,
      id: 'removeClient',
      method: 'DELETE',
      path: '/clients/{clientId}',
      summary: 'Remove an application',
      params,
      subject,
      responses: { 204: { description: 'Removed.' } },
      problems: ['CLIENT_CONFIGURED', 'CLIENT_OUT_OF_REACH'],
      async handle({ subject: found, actor, caller }) {
        if (!(await operations.clients.remove(changeable(found, caller), actor))) throw changedMeanwhile();
        return { status: 204 };
      },
    }),
    route({
      ...writing,
      id: 'rotateClientSecret',
      method: 'POST',
      path: '/clients/{clientId}/rotate-secret',
      summary: 'Make a new secret; the one before works for another day',
      params,
      subject,
      secrets: ['client_secret'],
      responses: { 200: { description: 'With the new secret.', schema: withSecret } },
      problems: ['CLIENT_CONFIGURED', 'CLIENT_OUT_OF_REACH', 'CLIENT_WITHOUT_SECRET'],
      async handle({ subject: found, actor, caller }) {
        const rotated = await operations.clients.rotateSecret(changeable(found, caller), actor);
        if (!rotated) throw changedMeanwhile();
        return { status: 200, body: { ...showRegistered(rotated.client), client_secret: rotated.secret } };
      },
    }),
  ];
}

/** The same rules as for the configuration file. @throws ApiProblem API_INPUT_INVALID */
function held(raw: Record<string, unknown>): ReturnType<typeof parseClient> {
  try {
    return parseClient(raw);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ApiProblem('API_INPUT_INVALID', {
      errors: error.problems.map(({ path, message }) => ({ path: `body.${path}`, message })),
    });
  }
}

function nullable<Shape extends Record<string, z.ZodType>>(shape: Shape) {
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, withoutDefault(schema).nullable().optional()]),
  );
}

/** A default is for what is made, not for what is changed: absent means "as it is". */
function withoutDefault(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return withoutDefault(schema.unwrap() as z.ZodType);
  return schema;
}
