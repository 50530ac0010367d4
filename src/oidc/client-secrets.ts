import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client, Provider } from 'oidc-provider';
import type { Clock } from '../platform/clock.js';

/** Member of a client's metadata that only its own store writes: the secret before the last rotation, while it counts. */
export const PREVIOUS_SECRET = 'previous_secret';

interface PreviousSecret {
  secret: string;
  /** Milliseconds since the epoch. */
  until: number;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

type Compare = (this: Client, actual: string) => Promise<boolean> | boolean;

/** After a rotation two secrets are good for a while, so that an application never stands there with the wrong one. */
export function acceptPreviousSecrets(provider: Provider, clock: Clock): void {
  const { prototype } = provider.Client as unknown as { prototype: { compareClientSecret: Compare } };
  const { compareClientSecret: compare } = prototype;
  prototype.compareClientSecret = async function (actual) {
    if (await compare.call(this, actual)) return true;
    const previous = this[PREVIOUS_SECRET] as PreviousSecret | undefined;
    if (!previous || previous.until <= clock.now().getTime()) return false;
    return timingSafeEqual(digest(previous.secret), digest(actual));
  };
}
