import { type AuthenticatorKey, fromBase32 } from './one-time-code.js';

/** What a person pastes, understood: the key as the set-up page spells it, or the whole `otpauth:` address of its QR code. */
export interface PastedKey extends AuthenticatorKey {
  issuer: string;
  account: string;
}

const DEFAULTS = { algorithm: 'sha1', digits: 6, periodSeconds: 30 } as const;
const ALGORITHMS = ['sha1', 'sha256', 'sha512'] as const;

/** Undefined when it is neither. 10 bytes is the least that any authenticator takes. */
export function readKey(pasted: string): PastedKey | undefined {
  const text = pasted.trim();
  const found = /^otpauth:/i.test(text) ? fromAddress(text) : fromText(text);
  return found && found.key.length >= 10 ? found : undefined;
}

function fromText(text: string): PastedKey | undefined {
  const key = fromBase32(text);
  return key && { ...DEFAULTS, key, issuer: '', account: '' };
}

function fromAddress(text: string): PastedKey | undefined {
  if (!URL.canParse(text)) return undefined;
  const { host, pathname, searchParams } = new URL(text);
  const key = fromBase32(searchParams.get('secret') ?? '');
  const wanted = (searchParams.get('algorithm') ?? 'SHA1').toLowerCase();
  const algorithm = ALGORITHMS.find((name) => name === wanted);
  const digits = Number(searchParams.get('digits') ?? DEFAULTS.digits);
  const periodSeconds = Number(searchParams.get('period') ?? DEFAULTS.periodSeconds);
  const plausible = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (host !== 'totp' || !key || !algorithm || !plausible(digits, 6, 8) || !plausible(periodSeconds, 15, 120))
    return undefined;
  let label: string;
  try {
    label = decodeURIComponent(pathname.slice(1));
  } catch {
    return undefined;
  }
  const [first = '', ...rest] = label.split(':');
  const account = rest.length > 0 ? rest.join(':').trim() : first;
  return { key, algorithm, digits, periodSeconds, issuer: searchParams.get('issuer') ?? '', account };
}
