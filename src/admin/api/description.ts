import type { Context } from 'koa';
import { API_ERRORS } from '../../errors.js';
import type { Presenter } from '../../http/index.js';
import { type OpenApiDocument, openApiDocument } from './openapi.js';
import type { Route } from './route.js';

/** One operation, as the page lists it. */
export interface DescribedOperation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description?: string;
  scope: string;
  isFresh: boolean;
  isForScripts: boolean;
  parameters: { name: string; place: string; isRequired: boolean; type: string; description?: string }[];
  body?: string;
  responses: { status: string; description: string; type?: string }[];
}

export interface ApiDocsLocals extends Record<string, unknown> {
  base: string;
  documentHref: string;
  sections: { tag: string; operations: DescribedOperation[] }[];
  schemas: { name: string; text: string }[];
  errors: { code: string; status: number; title: string }[];
}

type Schema = Record<string, unknown> & { $ref?: string };
type Content = Record<string, { schema?: Schema }>;
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema; description?: string }[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
  'x-scope': string;
  'x-fresh': boolean;
  'x-scripts': boolean;
}

/** A schema in a word or two; the whole of it stands further down the page. */
function typeOf(schema: Schema | undefined): string {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').at(-1) ?? '';
  if (Array.isArray(schema.enum)) return schema.enum.join(' | ');
  return String(schema.format ?? schema.type ?? 'object');
}

/** The name of a schema that stands further down. */
const schemaName = (content: Content | undefined): string =>
  Object.values(content ?? {})[0]
    ?.schema?.$ref?.split('/')
    .at(-1) ?? '';

function describe(path: string, method: string, operation: Operation): DescribedOperation {
  const body = schemaName(operation.requestBody?.content);
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    ...(operation.description ? { description: operation.description } : {}),
    scope: operation['x-scope'],
    isFresh: operation['x-fresh'],
    isForScripts: operation['x-scripts'],
    parameters: (operation.parameters ?? []).map(({ name, in: place, required, schema, description }) => ({
      name,
      place,
      isRequired: required === true,
      type: typeOf(schema),
      ...(description ? { description } : {}),
    })),
    ...(body ? { body } : {}),
    responses: Object.entries(operation.responses).map(([status, { description, content }]) => {
      const type = schemaName(content);
      return { status, description, ...(type ? { type } : {}) };
    }),
  };
}

/** What the readable page shows: all of the document, in its order. */
export function apiDocsLocals(document: OpenApiDocument, base: string, documentHref: string): ApiDocsLocals {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as Record<string, unknown>).map(([method, operation]) => ({
      tag: (operation as Operation).tags[0] ?? '',
      operation: describe(path, method, operation as Operation),
    })),
  );
  return {
    base,
    documentHref,
    sections: (document.tags ?? []).map(({ name: tag }) => ({
      tag,
      operations: operations.filter((one) => one.tag === tag).map(({ operation }) => operation),
    })),
    schemas: Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => ({
      name,
      text: JSON.stringify(schema, undefined, 2),
    })),
    errors: Object.entries(API_ERRORS).map(([code, { status, title }]) => ({ code, status, title })),
  };
}

/** The document and its readable page; both without a token: they say what there is, not what is in it. */
export function createDescription(deps: {
  routes: readonly Route[];
  base: string;
  issuer: string;
  presenter: Presenter;
}): (ctx: Context, path: string) => boolean {
  let made: { document: OpenApiDocument; json: string } | undefined;
  const description = () => {
    if (!made) {
      const document = openApiDocument(deps.routes, deps.base, deps.issuer);
      made = { document, json: JSON.stringify(document) };
    }
    return made;
  };
  return (ctx, path) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (isRead && path === '/openapi.json') {
      ctx.set('Cache-Control', 'no-cache');
      ctx.type = 'application/json';
      ctx.body = description().json;
      return true;
    }
    if (isRead && path === '/docs') {
      const { document } = description();
      const locals = apiDocsLocals(document, deps.base, `${new URL(deps.base).pathname}/openapi.json`);
      deps.presenter.show(ctx, 'api-docs', locals);
      return true;
    }
    return false;
  };
}
