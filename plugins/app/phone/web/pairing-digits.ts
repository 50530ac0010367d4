import { utf8 } from './base64url.js';

/** The six digits that this phone shows and the person types on the computer: they name one key and one pairing. */
export async function pairingDigits(deviceId: string, thumbprint: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', utf8(`countersign-pairing:${deviceId}:${thumbprint}`));
  return (new DataView(digest).getBigUint64(0) % 1_000_000n).toString().padStart(6, '0');
}
