import { z } from 'zod';
import type { ImportProblem, ImportRow } from '../../accounts/index.js';
import { describeIssue, explainIssue } from '../../config/index.js';

const text = (most: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(most, `must have at most ${most} characters`)
    .refine((value) => !/\p{Cs}/u.test(value), 'has half a character in it');

const totp = z.union([text(2_048), z.strictObject({ uri: text(2_048), label: text(40).optional() })], {
  error: 'must be an otpauth URI, or { "uri": …, "label": … }',
});

const schema = z.strictObject({
  login: text(254),
  name: text(256),
  email: text(254).optional(),
  groups: z.array(text(128)).max(100).optional(),
  locale: text(35).optional(),
  externalId: text(256).optional(),
  password: text(1_024).optional(),
  passwordHash: text(1_024).optional(),
  otpauth: z.array(totp).max(5).optional(),
  phone: text(32).optional(),
});

/** One line as an account that may be imported; or all that is wrong with it. */
export function readRow(
  line: number,
  json: string,
  locales: readonly string[],
): { row: ImportRow } | { problems: ImportProblem[] } {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    return { problems: [{ field: 'line', reason: 'is not JSON' }] };
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return { problems: [{ field: 'line', reason: 'must be an object: {"login": …, "name": …}' }] };
  if (Object.hasOwn(raw, '__proto__')) return { problems: [{ field: '__proto__', reason: 'is not a field' }] };
  const parsed = schema.safeParse(raw, { error: explainIssue });
  const problems = (parsed.error?.issues ?? [])
    .flatMap((issue) => describeIssue(issue, schema, 'field'))
    .map(({ path, message }) => ({ field: path, reason: message }));
  const { locale } = raw as { locale?: unknown };
  if (typeof locale === 'string' && !locales.includes(locale))
    problems.push({ field: 'locale', reason: `must be one of ${locales.join(', ')}` });
  if (!parsed.data || problems.length > 0) return { problems };
  const { otpauth = [], phone, ...account } = parsed.data;
  const factors = otpauth.map((one, index) => ({
    field: `otpauth[${index}]`,
    method: 'totp',
    ...(typeof one === 'string' ? { text: one } : { text: one.uri, ...(one.label ? { label: one.label } : {}) }),
  }));
  const row = {
    ...account,
    line,
    factors: [...factors, ...(phone ? [{ field: 'phone', method: 'sms', text: phone }] : [])],
  };
  return {
    row: Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as ImportRow & object,
  };
}
