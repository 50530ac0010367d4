/** The protocol of `docs/app-protocol.md` as OpenAPI 3.1, its requests from the very schemas that they are held against. */
import { z } from 'zod';
import { ANSWERS, problemAnswer } from './answer-schemas.js';
import type { Endpoint } from './device-api.js';

type Json = Record<string, unknown>;

/** Whoever builds a client reads it there; without a signature. */
export const OPENAPI_PATH = '/openapi.json';

const PROBLEMS: Readonly<Record<number, string>> = {
  400: '`BAD_REQUEST`: the body is not as described here.',
  401: '`USE_NONCE`: repeat it with the nonce of this answer. `DEVICE_REFUSED`: unknown or removed device, wrong signature, a `jti` used before.',
  404: '`NOT_FOUND`: no such address.',
  409: '`REFUSED`: not possible, or not any more.',
  422: '`WRONG_NUMBER`: `triesLeft` says how often it can be typed again.',
  429: '`TOO_MANY`: wait as long as `Retry-After` says.',
};

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
};

const NONCE = { 'Device-Nonce': { $ref: '#/components/headers/Device-Nonce' } };

const refusals = (): Json =>
  Object.fromEntries(
    Object.entries(PROBLEMS).map(([status, description]) => [
      status,
      {
        description,
        headers: {
          ...NONCE,
          ...(status === '429' ? { 'Retry-After': { description: 'In seconds.', schema: { type: 'integer' } } } : {}),
        },
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );

const parametersOf = (path: string): Json[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: '^[\\w-]{1,64}$' },
  }));

/** `/challenges/:id/answer` -> `challengesAnswer`, for one that nobody has named. */
const nameOf = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && !part.startsWith(':'))
    .map((part, n) => (n === 0 ? part : `${part[0]?.toUpperCase()}${part.slice(1)}`))
    .join('');

function operationOf({ path, body }: Pick<Endpoint, 'path' | 'body'>): Json {
  const {
    id = nameOf(path),
    summary,
    schema = z.looseObject({ serverTime: z.iso.datetime() }),
    type = 'application/json',
  } = ANSWERS[path] ?? {};
  return {
    operationId: id,
    ...(summary ? { summary } : {}),
    ...(path.includes(':') ? { parameters: parametersOf(path) } : {}),
    requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    responses: {
      200: {
        description: 'Done.',
        headers: NONCE,
        content: { [type]: { schema: schemaOf(schema, 'output') } },
      },
      ...refusals(),
    },
  };
}

/** @param endpoints with the one of pairing */
export const openApiDocument = (
  issuer: string,
  base: string,
  endpoints: readonly Pick<Endpoint, 'path' | 'body'>[],
) => ({
  openapi: '3.1.0',
  info: {
    title: 'Countersign device API',
    version: '1',
    description:
      'How an app on a phone becomes a trusted device, confirms sign-ins and makes codes without a network. What is signed, and how, stands in docs/app-protocol.md.',
  },
  servers: [{ url: `${issuer}${base}` }],
  security: [{ device: [] }],
  paths: Object.fromEntries(endpoints.map((one) => [one.path.replace(/:(\w+)/g, '{$1}'), { post: operationOf(one) }])),
  components: {
    schemas: { Problem: schemaOf(problemAnswer, 'output') },
    headers: {
      'Device-Nonce': {
        description: 'For the claim `nonce` of the next request; on every answer.',
        schema: { type: 'string' },
      },
    },
    securitySchemes: {
      device: {
        type: 'apiKey',
        in: 'header',
        name: 'Device-Signature',
        description:
          'A compact JWS (`alg` `ES256`, `typ` `countersign-request+jwt`, `kid`) of the device key, with `aud`, `htm`, `htu`, `bh`, `nonce` and `jti`.',
      },
    },
  },
});
