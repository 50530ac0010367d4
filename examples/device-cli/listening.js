// @ts-check
import { DeviceError } from './errors.js';

const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;
/** How often to ask where nobody can be listened to. */
const POLL_MS = 3_000;

/**
 * Calls back at once and after each change, until the server does not know this phone any more. Listens; and asks every few seconds
 * while it cannot.
 *
 * @param {import('./client.js').DeviceClient} client
 * @param {{ pause: (ms: number) => Promise<unknown>, now?: () => number }} surroundings
 * @param {() => Promise<void>} changed asks, and throws DeviceError when there was no answer
 * @throws DeviceError `DEVICE_REFUSED`
 */
export async function eachChange(client, { pause, now = Date.now }, changed) {
  let waitMs = SHORTEST_MS;
  for (;;) {
    const beganAt = now();
    let retryAfterMs = 0;
    try {
      // After `revoked` the next question is refused.
      for await (const _event of client.watch()) await changed();
    } catch (error) {
      retryAfterMs = 1_000 * (unlessRefused(error).retryAfterSeconds ?? 0);
    }
    waitMs = now() - beganAt > LONGEST_MS ? SHORTEST_MS : Math.min(2 * waitMs, LONGEST_MS);
    // Not to the second: all phones are sent away together when a server stops.
    const until = now() + Math.max(retryAfterMs, waitMs * (0.5 + Math.random() / 2));
    while (now() < until) {
      await changed().catch(unlessRefused);
      await pause(Math.min(POLL_MS, Math.max(0, until - now())));
    }
  }
}

/** The next try will tell. @param {unknown} error */
function unlessRefused(error) {
  if (error instanceof DeviceError && error.code !== 'DEVICE_REFUSED') return error;
  throw error;
}
