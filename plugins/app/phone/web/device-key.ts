import { sha256, toBase64url, utf8 } from './base64url.js';

/** A public key on P-256 with exactly the members that the thumbprint covers. */
export interface PublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
}

/** The key of one account on this phone. The private one cannot be taken out of the browser. */
export interface DeviceKey {
  privateKey: CryptoKey;
  publicJwk: PublicJwk;
  /** RFC 7638, SHA-256, base64url. */
  thumbprint: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export async function createDeviceKey(): Promise<DeviceKey> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  return { privateKey, publicJwk, thumbprint: await thumbprintOf(publicJwk) };
}

/** RFC 7638 section 3: the required members in the order of their names, without spaces. */
export const thumbprintOf = ({ crv, kty, x, y }: PublicJwk): Promise<string> =>
  sha256(JSON.stringify({ crv, kty, x, y }));

/** A compact JWS (RFC 7515) with ES256: WebCrypto's `r || s` is the form that RFC 7518 section 3.4 wants. */
export async function signJws(
  { privateKey }: Pick<DeviceKey, 'privateKey'>,
  header: { typ: string; kid: string },
  claims: object,
): Promise<string> {
  const part = (value: object): string => toBase64url(utf8(JSON.stringify(value)));
  const content = `${part({ alg: 'ES256', ...header })}.${part(claims)}`;
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, utf8(content));
  return `${content}.${toBase64url(signature)}`;
}
