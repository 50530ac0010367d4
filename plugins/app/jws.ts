/** Signatures of phones (RFC 7515), read as narrowly as the protocol writes them: the only importer of jose in this folder. */
import { type CryptoKey, calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import type { DeviceKey } from './data.js';

const ALGORITHM = 'ES256';
export const REQUEST_TYP = 'countersign-request+jwt';
export const APPROVAL_TYP = 'countersign-approval+jwt';

/** The key that a signature must come from, by the name that its header must give it. */
export interface SigningKey extends DeviceKey {
  kid: string;
}

/** `reason` is for the log. */
export type Verified = { claims: Readonly<Record<string, unknown>> } | { reason: string };

const jwkOf = ({ x, y }: DeviceKey) => ({ kty: 'EC', crv: 'P-256', x, y });

/** RFC 7638, SHA-256. */
export const thumbprintOf = (key: DeviceKey): Promise<string> => calculateJwkThumbprint(jwkOf(key), 'sha256');

/** Making a key of its numbers costs twice what checking a signature does, and a phone comes several times in one sign-in. */
const IMPORTED_AT_MOST = 1_000;
const imported = new Map<string, Promise<CryptoKey>>();

function importKey({ x, y }: DeviceKey): Promise<CryptoKey> {
  const name = `${x}.${y}`;
  const known = imported.get(name);
  if (known) return known;
  const key = importJWK(jwkOf({ x, y }), ALGORITHM) as Promise<CryptoKey>;
  const [oldest] = imported.keys();
  if (imported.size >= IMPORTED_AT_MOST && oldest) imported.delete(oldest);
  imported.set(name, key);
  return key;
}

function headerOf(token: string): Record<string, unknown> | undefined {
  try {
    return decodeProtectedHeader(token) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Who it says has signed it; nothing is verified yet. */
export function kidOf(token: string): string | undefined {
  const kid = headerOf(token)?.kid;
  return typeof kid === 'string' && kid.length > 0 && kid.length <= 64 ? kid : undefined;
}

/** Checks a compact JWS whose header has `alg` ES256, `typ` and `kid` and nothing else: no key and no address of one is taken from it. */
export async function verifyJws(token: string, key: SigningKey, typ: string): Promise<Verified> {
  const header = headerOf(token);
  if (!header) return { reason: 'unreadable' };
  if (Object.keys(header).sort().join() !== 'alg,kid,typ') return { reason: 'header' };
  if (header.alg !== ALGORITHM) return { reason: 'alg' };
  if (header.typ !== typ) return { reason: 'typ' };
  if (header.kid !== key.kid) return { reason: 'kid' };
  try {
    const { payload } = await compactVerify(token, await importKey(key), { algorithms: [ALGORITHM] });
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return { reason: 'claims' };
    return { claims: claims as Record<string, unknown> };
  } catch {
    return { reason: 'signature' };
  }
}
