/** RFC 6238 with the parameters that every authenticator understands: the only importer of otplib. */
import { generateURI, ScureBase32Plugin, verify } from 'otplib';

export const PERIOD_SECONDS = 30;
export const DIGITS = 6;
export const ALGORITHM = 'SHA1';
/** RFC 4226 section 4, R6: 160 bits are recommended. */
export const SECRET_BYTES = 20;

const base32 = new ScureBase32Plugin();

export const toBase32 = (secret: Uint8Array): string => base32.encode(secret, { padding: false });

/** The digits as typed, without spaces and hyphens; undefined when they are not exactly six ASCII digits. */
export function readCode(typed: string): string | undefined {
  const code = typed.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '');
  return /^[0-9]{6}$/.test(code) ? code : undefined;
}

/**
 * The time step whose code this is: the present one, the one before or the one after (RFC 6238 section 5.2).
 * Whether the step was used is not asked here: otplib's own check throws once the clock was set back.
 * @param epochSeconds whole seconds.
 */
export async function matchingStep(
  secret: Uint8Array,
  code: string,
  epochSeconds: number,
): Promise<number | undefined> {
  const result = await verify({
    secret,
    token: code,
    epoch: epochSeconds,
    period: PERIOD_SECONDS,
    epochTolerance: PERIOD_SECONDS,
  });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}

/** Google's authenticator began with 80 bits; RFC 4226 asks for 128, and nobody guesses either. */
const LEAST_SECRET_BYTES = 10;

/** The secret of an `otpauth:` URI, as authenticators wrote and read it; or what is wrong with it. Never throws, never quotes. */
export function readOtpauthUri(text: string): { secret: Uint8Array } | { reason: string } {
  const uri = URL.canParse(text) ? new URL(text) : undefined;
  if (uri?.protocol !== 'otpauth:' || uri.host !== 'totp') return { reason: 'must be an otpauth://totp/ URI' };
  const {
    algorithm = ALGORITHM,
    digits = DIGITS,
    period = PERIOD_SECONDS,
    secret = '',
  } = Object.fromEntries(uri.searchParams);
  if (String(algorithm).toUpperCase() !== ALGORITHM || Number(digits) !== DIGITS || Number(period) !== PERIOD_SECONDS)
    return {
      reason: `must be of ${ALGORITHM}, ${DIGITS} digits and ${PERIOD_SECONDS} seconds: others cannot be checked here`,
    };
  const text32 = secret.replace(/[\s=]/g, '').toUpperCase();
  const bytes = decodeBase32(text32);
  if (!bytes || bytes.length < LEAST_SECRET_BYTES || bytes.length > 128)
    return { reason: `must have a secret of ${LEAST_SECRET_BYTES} bytes or more in base32` };
  return { secret: bytes };
}

function decodeBase32(text: string): Uint8Array | undefined {
  try {
    return base32.decode(text);
  } catch {
    return undefined;
  }
}

/** `otpauth:` URI. A colon would end the issuer for most readers, and is replaced. */
export const otpauthUri = (issuer: string, login: string, secret: Uint8Array): string =>
  generateURI({
    issuer: issuer.replaceAll(':', ' '),
    label: login.replaceAll(':', ' '),
    secret: toBase32(secret),
  });
