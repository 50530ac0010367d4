import { decodeJwt, decodeProtectedHeader } from 'jose';

/** What the values in the tokens mean, in one line each. */
const ACR: Readonly<Record<string, string>> = {
  'urn:countersign:acr:1fa': 'password only',
  'urn:countersign:acr:2fa-remembered': 'password in a browser that was remembered after an earlier second step',
  'urn:countersign:acr:2fa': 'password and a second step, both really done',
  phr: 'a security key or passkey: nothing that could be phished',
};

/** RFC 8176. */
const AMR: Readonly<Record<string, string>> = {
  pwd: 'a password',
  otp: 'a one-time code (verification code or recovery code)',
  mfa: 'more than one kind of proof',
  mca: 'another channel, such as a telephone',
  sms: 'a text message',
  swk: 'a key kept in software',
  hwk: 'a key kept in hardware',
  user: 'the person was present',
  pin: 'a PIN',
};

export interface Explanation {
  name: string;
  value: string;
  meaning: string;
}

/** @param auth_time seconds since the epoch. */
export function explainSignIn(claims: { acr?: unknown; amr?: unknown; auth_time?: unknown }): Explanation[] {
  const { acr, amr, auth_time } = claims;
  const found: Explanation[] = [];
  if (typeof acr === 'string')
    found.push({ name: 'acr', value: acr, meaning: ACR[acr] ?? 'a level this page does not know' });
  if (Array.isArray(amr))
    found.push({
      name: 'amr',
      value: amr.join(' '),
      meaning: amr.map((value) => AMR[String(value)] ?? 'a method this page does not know').join('; '),
    });
  if (typeof auth_time === 'number')
    found.push({
      name: 'auth_time',
      value: String(auth_time),
      meaning: `the password was checked at ${utc(new Date(auth_time * 1000))}; a step-up does not move it`,
    });
  return found;
}

const utc = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** Header and payload for reading; nothing is verified here. Undefined for a token that is no JWT. */
export function readable(token: string): { header: string; payload: string } | undefined {
  try {
    const pretty = (part: unknown): string => JSON.stringify(part, null, 2);
    return { header: pretty(decodeProtectedHeader(token)), payload: pretty(decodeJwt(token)) };
  } catch {
    return undefined;
  }
}
