import type { Ears } from './device-api.js';
import { Refusal } from './protocol.js';

const SHORTEST_MS = 1_000;
const LONGEST_MS = 60_000;
/** Browsers open six connections to a server at most: the answers need one, too. */
const STREAMS = 3;

/** Listens for accounts, each by itself, again and again until it is stopped. Whom it does not hear must be asked for. */
export class Listening {
  readonly #lines = new Map<string, AbortController>();
  readonly #heard = new Set<string>();

  constructor(
    private readonly options: {
      watch(id: string, ears: Ears): Promise<void>;
      heard(id: string, event: 'begun' | 'changed' | 'revoked'): void;
    },
  ) {}

  /** Whether a change of this account would be heard. */
  covers(id: string): boolean {
    return this.#heard.has(id);
  }

  /** Listens for these from now on, and for no others. */
  follow(ids: readonly string[]): void {
    const wanted = ids.slice(0, STREAMS);
    for (const id of this.#lines.keys()) if (!wanted.includes(id)) this.#hangUp(id);
    for (const id of wanted) {
      if (this.#lines.has(id)) continue;
      const line = new AbortController();
      this.#lines.set(id, line);
      this.#listen(id, line.signal);
    }
  }

  #hangUp(id: string): void {
    this.#lines.get(id)?.abort();
    this.#lines.delete(id);
    this.#heard.delete(id);
  }

  async #listen(id: string, signal: AbortSignal): Promise<void> {
    const heard: Ears['heard'] = (event) => {
      if (signal.aborted) return;
      this.#heard.add(id);
      this.options.heard(id, event);
    };
    let waitMs = SHORTEST_MS;
    while (!signal.aborted) {
      const beganAt = performance.now();
      let retryAfterMs = 0;
      try {
        await this.options.watch(id, { signal, heard });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        retryAfterMs = 1000 * (error.facts.retryAfterSeconds ?? 0);
      }
      if (signal.aborted) return;
      this.#heard.delete(id);
      waitMs = performance.now() - beganAt > LONGEST_MS ? SHORTEST_MS : Math.min(2 * waitMs, LONGEST_MS);
      // Not to the second: all phones are sent away together when a server stops.
      await pause(Math.max(retryAfterMs, waitMs * (0.5 + Math.random() / 2)), signal);
    }
  }
}

/** Over at once when it is aborted. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
