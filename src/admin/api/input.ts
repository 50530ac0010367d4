import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { readBody } from '../../http/index.js';
import { ApiProblem, type InputError, notFound } from './problem.js';

const BODY_LIMIT_BYTES = 65_536;
/** Deeper than anything we take: a stack must not be the limit. */
const DEEPEST = 16;

const JSON_TYPES = /^application\/(?:json|merge-patch\+json)$/;

/** NUL, and halves of characters: neither MongoDB nor a reader can do anything right with them. */
const UNUSABLE = /[\0\p{Surrogate}]/u;

const malformed = (detail: string): ApiProblem => new ApiProblem('API_BODY_MALFORMED', { detail });

function checkText(value: unknown, depth = 0): void {
  if (depth > DEEPEST) throw malformed(`nested deeper than ${DEEPEST} levels`);
  if (typeof value === 'string' && UNUSABLE.test(value)) throw malformed('a text holds NUL or half a character');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (UNUSABLE.test(key)) throw malformed('a name holds NUL or half a character');
    checkText(inner, depth + 1);
  }
}

/**
 * The body as JSON; undefined when there is none.
 * @throws ApiProblem API_CONTENT_TYPE, API_BODY_MALFORMED; AppError REQUEST_TOO_LARGE
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, BODY_LIMIT_BYTES);
  if (body.length === 0) return undefined;
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').split(';');
  const isUtf8 = parameters.every((parameter) => /^\s*charset="?utf-8"?\s*$/i.test(parameter));
  if (!JSON_TYPES.test(type.trim().toLowerCase()) || !isUtf8)
    throw new ApiProblem('API_CONTENT_TYPE', { detail: 'send application/json in UTF-8' });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw malformed('it is not JSON in UTF-8');
  }
  checkText(value);
  return value;
}

/** The query's parameters, each once. */
export function readQuery(querystring: string): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  const wrong: InputError[] = [];
  for (const pair of querystring.split('&').filter(Boolean)) {
    const [name = '', value = ''] = pair.split(/=(.*)/s, 2).map(decoded);
    if (Object.hasOwn(values, name)) wrong.push({ path: `query.${name}`, message: 'is given twice' });
    values[name] = value;
  }
  if (wrong.length > 0) throw new ApiProblem('API_INPUT_INVALID', { errors: wrong });
  return { ...values };
}

function decoded(text: string): string {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', ' '));
    if (!UNUSABLE.test(plain)) return plain;
  } catch {
    // Said below.
  }
  throw new ApiProblem('API_INPUT_INVALID', { detail: 'the query is not percent-encoded UTF-8' });
}

/** A part of the path. @throws ApiProblem API_NOT_FOUND for what no id can be. */
export function readSegment(segment: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(segment);
  } catch {
    throw notFound();
  }
  if (plain === '' || plain.length > 256 || /[\p{C}\p{Surrogate}]/u.test(plain)) throw notFound();
  return plain;
}

/** Holds input against its schema. @throws ApiProblem API_INPUT_INVALID with everything that is wrong. */
export function checkInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: 'query' | 'body',
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ApiProblem('API_INPUT_INVALID', { errors: parsed.error.issues.flatMap((issue) => errorsOf(issue, where)) });
}

function errorsOf(issue: z.core.$ZodIssue, where: string): InputError[] {
  const path = [where, ...issue.path.map(String)].join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: `${path}.${key}`,
      message: `is not a ${where === 'query' ? 'parameter' : 'field'} of this operation`,
    }));
  return [{ path, message: issue.message }];
}
