import { z } from 'zod';
import { ACR, LEVELS, type Level } from '../policy/levels.js';
import { isLoopback } from './loopback.js';

/** A string that `complain` finds nothing wrong with. */
const checked = (complain: (value: string) => string | undefined) =>
  z.string().superRefine((value, context) => {
    const message = complain(value);
    if (message) context.addIssue({ code: 'custom', message });
  });

const parseUrl = (value: string): URL | undefined => (URL.canParse(value) ? new URL(value) : undefined);
const isSecure = (url: URL): boolean => url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));

/** OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2; exact, since relying applications compare it as text. */
export const issuer = checked((value) => {
  const url = parseUrl(value);
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an https URL';
  if (url.search || url.hash) return 'must have no query and no fragment';
  if (url.username || url.password) return 'must have no user name and no password';
  if (value.endsWith('/')) return `must not end with a slash: write ${value.replace(/\/+$/, '')}`;
  const canonical = url.origin + (url.pathname === '/' ? '' : url.pathname);
  if (value !== canonical) return `must be in its plain form: write ${canonical}`;
  return isSecure(url) ? undefined : 'must be https: plain http is for localhost only';
});

/** An address that a browser or we ourselves fetch. */
export const webUrl = checked((value) => {
  const url = parseUrl(value);
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an https URL';
  return isSecure(url) ? undefined : 'must be https: plain http is for localhost only';
});

/** RFC 6749 section 3.1.2: absolute, without fragment. RFC 8252 section 7: other schemes for native applications. */
export const redirectUri = checked((value) => {
  const url = parseUrl(value);
  if (!url) return 'must be an absolute URI';
  if (value.includes('#')) return 'must have no fragment';
  if (/^https?:$/.test(url.protocol))
    return isSecure(url) ? undefined : 'must be https: plain http is for localhost only';
  return url.protocol.includes('.')
    ? undefined
    : 'must be https, or a scheme with a dot in it such as com.example.app:/cb';
});

/** RFC 8707 section 2. */
export const resourceIdentifier = checked((value) => {
  if (!parseUrl(value)) return 'must be an absolute URI';
  return value.includes('#') ? 'must have no fragment' : undefined;
});

/** RFC 6454: scheme, host and port. */
export const origin = checked((value) => {
  const url = parseUrl(value);
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be an origin such as https://app.example.com';
  return url.origin === value ? undefined : `must be an origin only: write ${url.origin}`;
});

export const linkHref = checked((value) =>
  /^(https?|mailto|tel):$/.test(parseUrl(value)?.protocol ?? '') ? undefined : 'must be an https, mailto or tel link',
);

export const hexColour = z.string().regex(/^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i, 'must be a colour such as #0b6e4f');

export const port = z.int().min(0).max(65_535);

/** RFC 6749 appendix A.4. */
export const scopeToken = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope, without spaces');

export const timeZone = checked((value) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return undefined;
  } catch {
    return 'must be a time zone such as Europe/Berlin';
  }
});

export const locale = checked((value) => {
  try {
    return Intl.getCanonicalLocales(value)[0] === value ? undefined : 'must be a language such as en or de-AT';
  } catch {
    return 'must be a language such as en or de-AT';
  }
});

/** The name of an environment variable. */
export const variableName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'must name an environment variable, such as APP_SECRET');

/** A calendar day or an instant. */
export const instant = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'must be a date such as 2027-01-31, or an instant such as 2027-01-31T08:00:00Z',
  })
  .transform((value) => new Date(value));

const levelByName = new Map<string, Level>(
  LEVELS.flatMap((level) => [[level, level] as const, [ACR[level], level] as const]),
);

/** A level by its name or by the URN that stands in tokens. */
export const level = z.string().transform((value, context): Level => {
  const known = levelByName.get(value);
  if (known) return known;
  context.addIssue({ code: 'custom', message: `must be one of ${LEVELS.join(', ')}` });
  return z.NEVER;
});
