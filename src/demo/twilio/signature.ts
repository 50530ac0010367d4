import { createHmac } from 'node:crypto';

/**
 * The header `X-Twilio-Signature` as https://www.twilio.com/docs/usage/security#validating-requests tells it: HMAC-SHA1 with
 * the account's auth token over the full URL and the form's fields, sorted by name, each name with its value behind it.
 * Written after that text and not with the SDK, so that each is checked against the other.
 */
export function sign(authToken: string, url: string, fields: Readonly<Record<string, string>>): string {
  const names = Object.keys(fields).sort();
  const text = names.reduce((before, name) => before + name + (fields[name] ?? ''), url);
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}
