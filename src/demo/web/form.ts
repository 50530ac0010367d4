import type { Context } from 'koa';

const LIMIT_BYTES = 16_384;

/**
 * A posted form with exactly these fields, absent ones as ''. The demonstration is an application of its own and shares no
 * HTTP code with the server.
 * @param fields names with the longest value of each.
 * @throws HttpError 400 for anything else, 413 when it is too long.
 */
export async function readForm<Name extends string>(
  ctx: Context,
  fields: Readonly<Record<Name, number>>,
): Promise<Record<Name, string>> {
  if (!ctx.is('application/x-www-form-urlencoded')) ctx.throw(400);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT_BYTES) ctx.throw(413);
    chunks.push(chunk);
  }
  const values: Record<string, string> = Object.fromEntries(Object.keys(fields).map((name) => [name, '']));
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(Buffer.concat(chunks).toString('utf8'))) {
    const longest = Object.hasOwn(fields, name) ? fields[name as Name] : -1;
    if (seen.has(name) || value.length > longest) ctx.throw(400);
    seen.add(name);
    values[name] = value;
  }
  return values as Record<Name, string>;
}
