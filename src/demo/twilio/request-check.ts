import { timingSafeEqual } from 'node:crypto';
import { magicSender } from './behaviour.js';

/** Who may send: the account with its token, or with an API key. */
export interface Credentials {
  accountSid: string;
  authToken: string;
  apiKey?: { sid: string; secret: string };
}

const LONGEST_BODY = 1_600;
const E164 = /^\+[1-9]\d{6,14}$/;
/** A number, a short code, or a name with at least one letter. */
const SENDER = /^(?:\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/;

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'));

/** RFC 7617. */
export function isAuthentic(authorization: string, { accountSid, authToken, apiKey }: Credentials): boolean {
  const given = /^Basic (.+)$/i.exec(authorization)?.[1] ?? '';
  const known = [[accountSid, authToken], ...(apiKey ? [[apiKey.sid, apiKey.secret]] : [])];
  return known.some((pair) => isSame(given, Buffer.from(pair.join(':')).toString('base64')));
}

/** A stand-in calls nobody outside this machine. */
function isCallable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return /^https?:$/.test(protocol) && /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** What is wrong with the form of a message: an error code, and the number that belongs into its sentence. */
export function wrongField(fields: URLSearchParams): { code: number; number?: string } | undefined {
  const to = fields.get('To');
  const from = fields.get('From');
  const body = fields.get('Body');
  const callback = fields.get('StatusCallback');
  if (!to) return { code: 21604 };
  if (!E164.test(to)) return { code: 21211, number: to };
  if (!from && !fields.get('MessagingServiceSid')) return { code: 21603 };
  if (from && !SENDER.test(from)) return { code: 21212, number: from };
  const refused = from ? magicSender(from) : undefined;
  if (refused && from) return { code: refused, number: from };
  if (!body) return { code: 21602 };
  if (body.length > LONGEST_BODY) return { code: 21617 };
  if (callback && !isCallable(callback)) return { code: 21609 };
  return undefined;
}
