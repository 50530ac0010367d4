/** Values of a verification code (RFC 6238); the key knows its hash. */
export interface CodeSettings {
  key: CryptoKey;
  digits: number;
  periodSeconds: number;
}

/** @param secret its bytes; afterwards nobody can take them out again @param algorithm as the protocol names it */
export const importCodeKey = (
  secret: Uint8Array<ArrayBuffer>,
  algorithm: 'SHA1' | 'SHA256' | 'SHA512',
): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: algorithm.replace('SHA', 'SHA-') }, false, ['sign']);

/** The code of a moment (RFC 4226 section 5.3 over the steps of RFC 6238). @param at milliseconds since the epoch, of the server's clock */
export async function codeAt({ key, digits, periodSeconds }: CodeSettings, at: number): Promise<string> {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(at / 1000 / periodSeconds)));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, counter.buffer));
  const offset = mac.getUint8(mac.byteLength - 1) & 15;
  return ((mac.getUint32(offset) & 0x7fffffff) % 10 ** digits).toString().padStart(digits, '0');
}

/** Whole seconds until the next code. @param at milliseconds since the epoch, of the server's clock */
export const secondsLeft = ({ periodSeconds }: Pick<CodeSettings, 'periodSeconds'>, at: number): number =>
  periodSeconds - (Math.floor(at / 1000) % periodSeconds);
