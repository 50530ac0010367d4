import type { SetOption } from 'cookies';

/** Names and flags of all our cookies (RFC 6265bis 4.1.3 prefixes). */
export interface CookieSettings {
  /** `__Host-` where the browser accepts it; the plain name only over http, which is loopback. */
  name(base: string): string;
  /** For cookies whose path forbids `__Host-`. */
  nameWithPath(base: string): string;
  options: SetOption & { httpOnly: true; sameSite: 'lax'; path: string; secure: boolean };
}

export function cookieSettings(issuer: string): CookieSettings {
  const { protocol, pathname } = new URL(issuer);
  const secure = protocol === 'https:';
  const path = pathname;
  return {
    name: (base) => (secure ? `${path === '/' ? '__Host-' : '__Secure-'}${base}` : base),
    nameWithPath: (base) => (secure ? `__Secure-${base}` : base),
    options: { httpOnly: true, sameSite: 'lax', path, secure, overwrite: true },
  };
}
