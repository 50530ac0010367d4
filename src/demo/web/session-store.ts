import type { Context } from 'koa';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';

const COOKIE = 'demo_session';
const IDLE_MS = 8 * 3600_000;
/** A demonstration for one person: the oldest go when somebody knocks on the door all day. */
const MOST_SESSIONS = 500;

/** The web sessions of the demonstration: in memory, so a restart signs everybody out of the application (not of the issuer). */
export interface SessionStore<State> {
  /** The browser's session, or undefined. */
  find(ctx: Context): State | undefined;
  /** The browser's session, begun when there is none. */
  ensure(ctx: Context): State;
  /** A new cookie for the same state: what was known before a sign-in is worth nothing after it. */
  renew(ctx: Context): void;
  end(ctx: Context): void;
  /** Of all browsers. */
  states(): State[];
}

export function createSessionStore<State>(deps: {
  clock: Clock;
  random: Random;
  empty: () => State;
}): SessionStore<State> {
  const sessions = new Map<string, { state: State; seen: number }>();
  const now = (): number => deps.clock.now().getTime();

  const entryOf = (ctx: Context): { state: State; seen: number } | undefined => {
    const id = ctx.cookies.get(COOKIE);
    const entry = id ? sessions.get(id) : undefined;
    if (!entry || entry.seen + IDLE_MS < now()) return undefined;
    entry.seen = now();
    return entry;
  };

  const store = (ctx: Context, state: State): void => {
    const [oldest] = sessions.keys();
    if (sessions.size >= MOST_SESSIONS && oldest) sessions.delete(oldest);
    const id = deps.random.token();
    sessions.set(id, { state, seen: now() });
    ctx.cookies.set(COOKIE, id, { httpOnly: true, sameSite: 'lax', overwrite: true });
  };

  const forget = (ctx: Context): void => {
    const id = ctx.cookies.get(COOKIE);
    if (id) sessions.delete(id);
  };

  return {
    find: (ctx) => entryOf(ctx)?.state,
    ensure(ctx) {
      const entry = entryOf(ctx);
      if (entry) return entry.state;
      const state = deps.empty();
      store(ctx, state);
      return state;
    },
    renew(ctx) {
      const entry = entryOf(ctx);
      forget(ctx);
      store(ctx, entry?.state ?? deps.empty());
    },
    end(ctx) {
      forget(ctx);
      ctx.cookies.set(COOKIE, null, { httpOnly: true, sameSite: 'lax', overwrite: true });
    },
    states: () => [...sessions.values()].map(({ state }) => state),
  };
}
