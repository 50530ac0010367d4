import { Webhook } from 'standardwebhooks';
import type { Random } from '../platform/random.js';

/** Standard Webhooks, "Signature scheme": 24 to 64 bytes, in base64 behind this prefix. */
const SECRET_BYTES = 32;

export const newSecret = (random: Random): string => `whsec_${random.bytes(SECRET_BYTES).toString('base64')}`;

/**
 * The three headers of a message, which its receiver checks.
 * @param secrets each signs; more than one while a secret is being replaced.
 */
export function signedHeaders(
  message: { id: string; at: Date; body: string },
  secrets: readonly string[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const { id, at, body } = message;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}
