import type { z } from 'zod';
import type { Account } from '../../accounts/contract.js';
import type { RequestOrigin } from '../../audit/contract.js';
import type { DeskActor } from '../../recovery-desk/contract.js';
import type { Scope } from '../rights.js';
import type { Caller } from './caller.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What an operation is about, read before it runs: absent ones are 404. */
export interface Subject<Value = unknown> {
  value: Value;
  /** Whose account would be changed: the caller's role must reach it. */
  account?: Account;
  /** What GET shows of it; its ETag is what `If-Match` is held against. */
  representation?: unknown;
}

/** One request, as an operation sees it. */
export interface Call<Params, Query, Body, Value> {
  caller: Caller;
  /** The caller, as the audit and the recovery desk know it. */
  actor: DeskActor & { type: 'account' | 'client' };
  origin: RequestOrigin;
  params: Params;
  query: Query;
  body: Body;
  subject: Value;
  /** Path and query of this request, for the links of a list. */
  href: string;
  /** The caller asks for one JSON object per line. */
  wantsLines: boolean;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** One JSON object per line instead of a body. */
  lines?: AsyncIterable<unknown>;
}

export interface ResponseDefinition {
  description: string;
  /** Absent: no body. */
  schema?: z.ZodType;
}

/** One row of the API: everything that is particular about it. What all have in common stands in `pipeline.ts`. */
export interface RouteDefinition<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Value = undefined,
> {
  /** Name of the operation, unique: `decideRecoveryRequest`. */
  id: string;
  method: Method;
  /** Below `/api/v1`, e.g. `/accounts/{accountId}`. */
  path: string;
  tag: string;
  summary: string;
  description?: string;
  /** Absent: any valid token will do. */
  scope?: Scope;
  /** F: `acr` of two factors, proved at most 600 s ago (RFC 9470). Scripts that are let in have nothing to refresh. */
  fresh?: true;
  /** S: tokens of the client credentials grant are let in. */
  scripts?: true;
  /** Never on one's own account. */
  notOnSelf?: true;
  params?: Params;
  query?: Query;
  body?: Body;
  responses: Readonly<Record<number, ResponseDefinition>>;
  /** Codes of refusals of its own, beside those that all operations share. */
  problems?: readonly string[];
  /** Required for PUT, PATCH and DELETE; without it the operation has no precondition and no target. */
  subject?: (call: { params: z.output<Params>; caller: Caller }) => Promise<Subject<Value> | undefined>;
  /** Secrets in the answer to the first request: withheld when it is repeated under the same Idempotency-Key. */
  secrets?: readonly string[];
  /** The answer can be lines of JSON too. */
  ndjson?: z.ZodType;
  handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>, Value>): Promise<Reply>;
}

/** A row whose types are settled: what the pipeline and the document work with. */
export type Route = RouteDefinition<z.ZodObject, z.ZodObject, z.ZodType, unknown>;

/** Declares a row; the types of its parameters and body follow from their schemas. */
export const route = <
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodType = z.ZodUndefined,
  Value = undefined,
>(
  definition: RouteDefinition<Params, Query, Body, Value>,
): Route => definition as unknown as Route;
