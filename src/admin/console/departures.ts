import type { Context } from 'koa';
import type { CookieSettings } from '../../http/index.js';
import type { Clock } from '../../platform/clock.js';
import type { SecretBox } from '../../platform/secret-box.js';

/** A sign-in that has left for the issuer and is not back yet. */
export interface Departure {
  state: string;
  nonce: string;
  verifier: string;
  /** Path of the console to lead back to. */
  returnTo: string;
  maxAge?: number;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Tabs that sign in at the same time. */
const MOST_DEPARTURES = 4;
const LONGEST_MS = 3600_000;
const CONTEXT = 'console/departures';

/**
 * Sealed in a cookie of the browser: a stranger's knock on the console's door writes nothing to the database, and a
 * `state` of another browser (RFC 9700 4.7) finds nothing here.
 */
export interface Departures {
  add(ctx: Context, departure: Omit<Departure, 'at'>): void;
  /** Each once. */
  take(ctx: Context, state: string): Departure | undefined;
}

export function createDepartures(deps: { cookies: CookieSettings; secretBox: SecretBox; clock: Clock }): Departures {
  const { cookies, secretBox, clock } = deps;
  const name = cookies.name('console-sign-in');

  const read = (ctx: Context): Departure[] => {
    const sealed = ctx.cookies.get(name, { signed: false });
    if (!sealed) return [];
    try {
      const all = JSON.parse(secretBox.open(sealed, CONTEXT).toString('utf8')) as Departure[];
      return all.filter(({ at }) => at > clock.now().getTime() - LONGEST_MS);
    } catch {
      return [];
    }
  };
  const write = (ctx: Context, departures: Departure[]): void => {
    const value = departures.length > 0 ? secretBox.seal(JSON.stringify(departures), CONTEXT) : null;
    ctx.cookies.set(name, value, { ...cookies.options, signed: false, maxAge: LONGEST_MS });
  };

  return {
    add: (ctx, departure) =>
      write(ctx, [...read(ctx), { ...departure, at: clock.now().getTime() }].slice(-MOST_DEPARTURES)),
    take(ctx, state) {
      const all = read(ctx);
      const found = all.find((departure) => departure.state === state);
      if (found)
        write(
          ctx,
          all.filter((departure) => departure !== found),
        );
      return found;
    },
  };
}
