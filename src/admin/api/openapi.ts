import { z } from 'zod';
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject } from 'zod-openapi';
import { API_ERRORS, type ApiErrorCode } from '../../errors.js';
import type { Route } from './route.js';

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'One of a closed list; what a program looks at.' }),
    detail: z.string().optional(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    requestId: z.string().meta({ description: 'Quote it when you ask for help.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'The input is not valid: `errors` says where.',
  401: 'No valid access token; or the sign-in behind it is not fresh enough (RFC 9470).',
  403: 'The right is missing, or the account is out of reach.',
  404: 'There is no such thing.',
  409: 'It cannot be done in the state it is in now.',
  412: 'It was changed since it was read.',
  413: 'The body is larger than 64 KiB.',
  415: 'The body is not JSON in UTF-8.',
  422: 'It can be read, but not be done.',
  428: '`If-Match` is missing.',
  429: 'Too many requests: wait as long as `Retry-After` says.',
  503: 'The service cannot answer now: try again.',
};

/** Every status of refusal that an operation can answer with. */
export function refusalStatuses(route: Route): number[] {
  const isChange = ['PUT', 'PATCH', 'DELETE'].includes(route.method);
  const own = (route.problems ?? []).map((code) => API_ERRORS[code as ApiErrorCode].status);
  return [
    ...new Set([
      400,
      401,
      ...(route.scope || !route.scripts ? [403] : []),
      ...(route.params ? [404] : []),
      ...(route.method === 'POST' ? [409, 422] : []),
      ...(isChange ? [412, 428] : []),
      ...(route.method === 'GET' ? [] : [413, 415]),
      ...own,
      429,
      503,
    ]),
  ].sort((a, b) => a - b);
}

const HEADERS = {
  idempotency: z.strictObject({
    'Idempotency-Key': z
      .string()
      .min(1)
      .max(255)
      .meta({ description: 'A new one for each thing to be done; the same one to repeat a request.' }),
  }),
  ifMatch: z.strictObject({
    'If-Match': z.string().meta({ description: 'The ETag of what was read, or `*`.' }),
  }),
};

const refusals = (route: Route) =>
  Object.fromEntries(
    refusalStatuses(route).map((status) => [
      String(status),
      {
        description: DESCRIPTIONS[status] ?? 'Refused.',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );

const successes = (route: Route) =>
  Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, schema }]) => [
      status,
      {
        description,
        ...(schema
          ? {
              content: {
                'application/json': { schema },
                ...(route.ndjson ? { 'application/x-ndjson': { schema: z.string() } } : {}),
              },
            }
          : {}),
      },
    ]),
  );

function headersOf({ method }: Route) {
  if (method === 'POST') return { header: HEADERS.idempotency };
  return method === 'GET' ? {} : { header: HEADERS.ifMatch };
}

const operation = (route: Route): ZodOpenApiOperationObject => ({
  operationId: route.id,
  tags: [route.tag],
  summary: route.summary,
  ...(route.description ? { description: route.description } : {}),
  security: [{ bearer: route.scope ? [route.scope] : [] }, { dpop: route.scope ? [route.scope] : [] }],
  'x-scope': route.scope ?? '',
  'x-fresh': route.fresh === true,
  'x-scripts': route.scripts === true,
  requestParams: {
    ...(route.params ? { path: route.params } : {}),
    ...(route.query ? { query: route.query } : {}),
    ...headersOf(route),
  },
  ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } } : {}),
  responses: {
    ...successes(route),
    ...(route.method === 'GET' && route.subject ? { 304: { description: 'It is what `If-None-Match` names.' } } : {}),
    ...refusals(route),
  } as ZodOpenApiOperationObject['responses'],
});

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** The API's description (OpenAPI 3.1), from the very schemas that its requests and answers are held against. */
export function openApiDocument(routes: readonly Route[], base: string, issuer: string): OpenApiDocument {
  const paths: NonNullable<ZodOpenApiObject['paths']> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Countersign management API',
      version: '1',
      description:
        'Accounts, login methods, recovery requests, suspensions, applications, audit. A token carries scopes; what it may do is cut down to what the roles of the account allow, at every request.',
    },
    servers: [{ url: base }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `An access token of ${issuer} (RFC 9068) for the resource ${base}.`,
        },
        dpop: { type: 'http', scheme: 'DPoP', description: 'The same, bound to a key (RFC 9449).' },
      },
    },
  });
}
