import { z } from 'zod';
import { type Cursor, LONGEST_PAGE, type Page, type PageRequest } from '../../platform/paging.js';
import { ApiProblem } from './problem.js';
import type { Reply } from './route.js';

const DEFAULT_PAGE = 50;

/** An integer in a query. */
export const queryInteger = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .meta({
      override: ({ jsonSchema }: { jsonSchema: Record<string, unknown> }) => {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: 'integer', minimum: least, maximum: most });
      },
    });

export const queryFlag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** What each list takes beside its filters. */
export const pageQuery = {
  limit: queryInteger(1, LONGEST_PAGE)
    .optional()
    .meta({ description: `How many, ${DEFAULT_PAGE} unless told otherwise.` }),
  cursor: z.string().max(512).optional().meta({ description: 'From `next` of the page before.' }),
};

export const encodeCursor = ({ createdAt, id }: Cursor): string =>
  Buffer.from(JSON.stringify([createdAt.getTime(), id])).toString('base64url');

/** @throws ApiProblem API_INPUT_INVALID for anything that is none of ours. */
export function decodeCursor(text: string): Cursor {
  try {
    const [time, id, ...rest] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
    const createdAt = new Date(time as number);
    if (typeof id === 'string' && Number.isSafeInteger(time) && rest.length === 0) {
      const cursor = { createdAt, id };
      if (!Number.isNaN(createdAt.getTime()) && encodeCursor(cursor) === text) return cursor;
    }
  } catch {
    // Said below.
  }
  throw new ApiProblem('API_INPUT_INVALID', {
    errors: [{ path: 'query.cursor', message: 'is not a cursor of this list' }],
  });
}

export const pageOf = ({
  limit,
  cursor,
}: {
  limit?: number | undefined;
  cursor?: string | undefined;
}): PageRequest => ({
  limit: limit ?? DEFAULT_PAGE,
  ...(cursor === undefined ? {} : { after: decodeCursor(cursor) }),
});

/** The answer of a list. @param id names the schema in the document. */
export const listOf = (item: z.ZodType, id: string) =>
  z
    .strictObject({
      items: z.array(item),
      next: z.string().optional().meta({ description: 'The `cursor` of the next page; absent on the last one.' }),
    })
    .meta({ id });

/** A page as an answer, with the way to the next one (RFC 8288). */
export function listReply<T>(page: Page<T>, href: string, shown: (item: T) => unknown): Reply {
  const next = page.next && encodeCursor(page.next);
  const body = { items: page.items.map(shown), ...(next ? { next } : {}) };
  if (!next) return { status: 200, body };
  const url = new URL(href);
  url.searchParams.set('cursor', next);
  return { status: 200, body, headers: { Link: `<${url.href}>; rel="next"` } };
}
