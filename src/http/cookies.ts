import { createSecretKey } from 'node:crypto';
import type { SetOption } from 'cookies';

/** Names and flags of all our cookies (RFC 6265bis 4.1.3 prefixes). */
export interface CookieSettings {
  /**
   * `__Host-` where the browser accepts it. Over http, which is loopback, a name of our own: there the applications on other ports share
   * our cookies, and many call theirs `session`.
   */
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
    name: (base) => (secure ? `${path === '/' ? '__Host-' : '__Secure-'}${base}` : `countersign-${base}`),
    nameWithPath: (base) => (secure ? `__Secure-${base}` : `countersign-${base}`),
    options: { httpOnly: true, sameSite: 'lax', path, secure, overwrite: true },
  };
}

/** Keys for signing cookies as Koa and the provider take them, though they declare strings: OpenSSL reads each once, not at every cookie. */
export const cookieKeysOf = (keys: readonly string[]): string[] =>
  keys.map((key) => createSecretKey(key, 'utf8') as unknown as string);
