import type { FormFields } from '../../src/http/index.js';
import type { Browser } from '../support/browser.js';

/** Counters; and the console writes down when somebody was there last. */
export const LEFT_OUT = ['attempts', 'audit_events', 'oidc', 'console_sessions'];

export interface Attack {
  name: string;
  status: number;
  body?: (fields: FormFields, csrf: string) => string | Buffer;
  headers?: Record<string, string>;
  method?: string;
}

export const good = (fields: FormFields, csrf: string): string =>
  new URLSearchParams({ csrf, ...Object.fromEntries(Object.keys(fields).map((name) => [name, '1'])) }).toString();
export const firstOf = (fields: FormFields): string => Object.keys(fields)[0] ?? 'csrf';
export const MEGABYTE = 'x'.repeat(1_048_576);

export const ATTACKS: Attack[] = [
  { name: 'a list', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}[]=x` },
  { name: 'an object', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}[$ne]=x` },
  { name: 'an encoded object', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}%5B%24gt%5D=` },
  { name: 'a list as the token', status: 400, body: () => 'csrf[]=x' },
  { name: 'a repeated field', status: 400, body: (f, csrf) => `${good(f, csrf)}&${firstOf(f)}=2` },
  { name: 'a repeated token', status: 400, body: (f, csrf) => `${good(f, csrf)}&csrf=${csrf}` },
  { name: 'an unknown field', status: 400, body: (f, csrf) => `${good(f, csrf)}&isAdmin=true` },
  { name: 'a name of Object.prototype', status: 400, body: (f, csrf) => `${good(f, csrf)}&__proto__=x` },
  { name: 'another name of Object.prototype', status: 400, body: (f, csrf) => `${good(f, csrf)}&constructor=x` },
  {
    name: 'a field over its length',
    status: 400,
    body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=${'x'.repeat((f[firstOf(f)] ?? 64) + 1)}`,
  },
  { name: 'NUL', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=a%00b` },
  { name: 'NUL as it is', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=a\0b` },
  { name: 'percent-encoding that is not UTF-8', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=%ff%fe` },
  { name: 'half a surrogate pair', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=%ED%A0%80` },
  { name: 'percent-encoding broken off', status: 400, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=%4` },
  {
    name: 'bytes that are not UTF-8',
    status: 400,
    body: (f, csrf) => Buffer.concat([Buffer.from(`csrf=${csrf}&${firstOf(f)}=`), Buffer.from([0xff, 0xc0])]),
  },
  { name: 'a megabyte', status: 413, body: (f, csrf) => `csrf=${csrf}&${firstOf(f)}=${MEGABYTE}` },
  {
    name: 'JSON',
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: (f, csrf) => JSON.stringify({ csrf, [firstOf(f)]: { $ne: null } }),
  },
  {
    name: 'multipart',
    status: 400,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: (_f, csrf) => `--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n${csrf}\r\n--b--\r\n`,
  },
  { name: 'plain text', status: 400, headers: { 'content-type': 'text/plain' }, body: good },
  { name: 'no content type', status: 400, headers: { 'content-type': '' }, body: good },
  { name: 'a page of another origin', status: 403, headers: { origin: 'https://evil.example' }, body: good },
  {
    name: 'a sandboxed page elsewhere',
    status: 403,
    headers: { origin: 'null', 'sec-fetch-site': 'cross-site' },
    body: good,
  },
  { name: 'an opaque origin alone', status: 403, headers: { origin: 'null' }, body: good },
  { name: 'no token', status: 403, body: (f) => good(f, '').replace(/csrf=&?/, '') },
  { name: 'an empty token', status: 403, body: (f) => good(f, '') },
  {
    name: 'a wrong token',
    status: 403,
    body: (f, csrf) =>
      good(
        f,
        csrf.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')),
      ),
  },
  { name: 'PUT', status: 405, method: 'PUT', body: good },
  { name: 'PATCH', status: 405, method: 'PATCH', body: good },
  { name: 'DELETE', status: 405, method: 'DELETE' },
];

export const PARAMETERS = [
  '%00',
  'a%00b',
  '%ff%fe',
  '%',
  '%2e%2e',
  '%2e%2e%2f%2e%2e',
  '%E2%80%AE',
  '%24ne',
  '[object%20Object]',
  '__proto__',
  'constructor',
  'x'.repeat(5_000),
  "'%22%3E%3Cscript%3E",
];

export const NONSENSE: Record<string, string>[] = [
  { accept: '' },
  { accept: 'nonsense' },
  { accept: 'x/'.repeat(2_000) },
  { 'accept-language': 'x'.repeat(5_000) },
  { 'accept-language': 'en;q=foo,*;q=NaN,\u00ff' },
  {
    cookie:
      'countersign-session=%ff; countersign-csrf=%00; countersign-known=~~~~; countersign-lang=__proto__; countersign-started=:~:; countersign-enrolment=x; countersign-interaction=x; countersign-resume=y',
  },
  { cookie: `countersign-session=${'x'.repeat(8_000)}; countersign-known=${'~'.repeat(2_000)}` },
  { 'user-agent': '\u0001\u00ff'.slice(1).repeat(2_000) },
  { 'sec-fetch-site': 'nonsense' },
  { 'content-length': '0' },
];

export async function csrfOf(browser: Browser): Promise<string> {
  const { forms } = await browser.open('/forgot-password');
  return forms[0]?.values.csrf ?? '';
}
