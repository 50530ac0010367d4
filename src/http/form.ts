import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.js';
import { readBody } from './body.js';

/** Longest body of any of our forms, in bytes. */
const FORM_LIMIT_BYTES = 16_384;

/** Names of a form's fields with the longest value of each, in UTF-16 units. */
export type FormFields = Readonly<Record<string, number>>;
export type FormValues<Fields extends FormFields> = Readonly<Record<keyof Fields & string, string>>;

const malformed = (why: string): AppError => new AppError('REQUEST_MALFORMED', why);

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed('percent-encoding is not UTF-8');
  }
}

/**
 * Reads an `application/x-www-form-urlencoded` body against its declared fields: each is one string, absent ones are ''.
 * Unknown or repeated fields, values over their length, NUL and bytes that are not UTF-8 are refused, so that no handler
 * ever meets an array, an object or a replacement character.
 * @throws AppError REQUEST_MALFORMED, REQUEST_TOO_LARGE
 */
export async function readForm<Fields extends FormFields>(
  request: IncomingMessage,
  fields: Fields,
): Promise<FormValues<Fields>> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const body = await readBody(request, FORM_LIMIT_BYTES);
  if (type !== 'application/x-www-form-urlencoded') throw malformed('not a form');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw malformed('body is not UTF-8');
  }
  const values = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decode(pair.slice(at + 1));
    const longest = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (longest === undefined) throw malformed('unknown field');
    if (values.has(name)) throw malformed('repeated field');
    if (value.length > longest) throw malformed('field too long');
    if (value.includes('\0')) throw malformed('NUL in a field');
    values.set(name, value);
  }
  return Object.fromEntries(
    Object.keys(fields).map((name) => [name, values.get(name) ?? '']),
  ) as unknown as FormValues<Fields>;
}
