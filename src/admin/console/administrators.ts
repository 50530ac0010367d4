import type { Context } from 'koa';
import type { Role } from '../../accounts/contract.js';
import { seeOther } from '../../http/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Scope } from '../index.js';
import { type Api, createApi } from './api.js';
import { type Answer, type Call, parseJson, problem, readRefusal, requestOf } from './api-call.js';
import { apiOf } from './console-client.js';
import type { Departures } from './departures.js';
import type { Caller, InProcessFetch } from './in-process-fetch.js';
import type { IssuedTokens, RelyingParty, StepUp } from './relying-party.js';
import type { ConsoleTokens, WebSession, WebSessions } from './web-sessions.js';

/** Somebody signed in to the console. What they may do is the API's to decide; scopes only say what is worth showing. */
export interface Administrator {
  accountId: string;
  name: string;
  roles: readonly Role[];
  may(scope: Scope): boolean;
  api: Api;
  /** The API's own answer, unread: for what is passed on as a stream. */
  stream(path: string, call: Call): Promise<Answer<Response>>;
  session: WebSession;
}

export interface Administrators {
  /** Without a session, the browser is sent to sign in and comes back to where it was. */
  require(ctx: Context): Promise<Administrator | undefined>;
  /** Sends the browser through the issuer and back to `returnTo`. */
  signIn(ctx: Context, returnTo: string, stepUp?: StepUp): Promise<void>;
  /**
   * Takes the browser back from the issuer: where to go on, or undefined when it never left with this answer. `refused`:
   * the API takes nothing from such a sign-in.
   */
  arrive(ctx: Context): Promise<{ to: string } | 'refused' | undefined>;
  /** Ends the console's session; the issuer asks about its own. */
  signOut(ctx: Context): Promise<URL | undefined>;
}

/** Never as the request line has it: that may name another host. */
export const hereOf = (ctx: Context): string => ctx.path + ctx.search;

const callerOf = (ctx: Context): Caller => ({ ip: ctx.ip, userAgent: ctx.get('user-agent').slice(0, 256) });

export function createAdministrators(deps: {
  issuer: string;
  clock: Clock;
  sessions: WebSessions;
  departures: Departures;
  relyingParty: RelyingParty;
  fetchFor(caller: Caller): InProcessFetch;
}): Administrators {
  const { clock, sessions, departures, relyingParty } = deps;
  const base = apiOf(deps.issuer);
  const { origin } = new URL(deps.issuer);

  /** Undefined when the API takes nothing from this sign-in: else the browser would go back and forth without end. */
  const withRoles = async (
    fetch: InProcessFetch,
    issued: IssuedTokens | ConsoleTokens,
  ): Promise<ConsoleTokens | undefined> => {
    const { url, init } = requestOf(base, '/me', {}, issued.accessToken);
    const response = await fetch(url, init);
    if (response.status === 401) return undefined;
    const me = response.ok ? (parseJson(await response.text()) as { roles?: Role[] }) : {};
    const { accessToken, accessEndsAt, refreshToken, idToken, scopes, name } = issued;
    const roles = me.roles ?? [];
    return { accessToken, accessEndsAt, ...(refreshToken ? { refreshToken } : {}), idToken, scopes, roles, name };
  };

  const refreshed = async (fetch: InProcessFetch, tokens: ConsoleTokens): Promise<ConsoleTokens | undefined> => {
    const renewed = tokens.refreshToken ? await relyingParty.refresh(fetch, tokens.refreshToken) : undefined;
    return renewed && withRoles(fetch, { ...tokens, ...renewed });
  };

  const administratorOf = (fetch: InProcessFetch, session: WebSession): Administrator => {
    let { tokens } = session;
    const renew = async (): Promise<boolean> => {
      const renewed = await sessions.renew(session, tokens.accessToken, (current) => refreshed(fetch, current));
      if (renewed) tokens = renewed;
      return renewed !== undefined;
    };
    const isOver = (): boolean => new Date(tokens.accessEndsAt) <= clock.now();
    const stream = async (path: string, call: Call): Promise<Answer<Response>> => {
      // URLs take such parts for steps upwards, encoded or not: an id is none of them.
      if (/\/\.\.?(\/|$)/.test(path)) return problem(404, '');
      if (isOver() && !(await renew())) return { ok: false, refusal: { kind: 'signed_out' } };
      for (let isSecond = false; ; isSecond = true) {
        const { url, init } = requestOf(base, path, call, tokens.accessToken);
        const response = await fetch(url, init);
        if (response.ok) return { ok: true, data: response };
        const refusal = await readRefusal(response);
        // The token was recalled before its end: a new one is refused as well, unless only the token was at fault.
        if (refusal.kind !== 'signed_out' || isSecond || !(await renew())) return { ok: false, refusal };
      }
    };
    return {
      accountId: session.accountId,
      name: tokens.name,
      roles: tokens.roles,
      may: (scope) => tokens.scopes.includes(scope),
      stream,
      session,
      api: createApi(async <T>(path: string, call: Call = {}): Promise<Answer<T>> => {
        const answer = await stream(path, call);
        if (!answer.ok) return answer;
        const etag = answer.data.headers.get('etag') ?? undefined;
        return { ok: true, data: parseJson(await answer.data.text()) as T, ...(etag ? { etag } : {}) };
      }),
    };
  };

  const signIn: Administrators['signIn'] = async (ctx, returnTo, stepUp) => {
    const { to, departure } = await relyingParty.depart(deps.fetchFor(callerOf(ctx)), returnTo, stepUp);
    departures.add(ctx, departure);
    seeOther(ctx, to.href);
  };

  return {
    signIn,

    async require(ctx) {
      const session = await sessions.find(ctx);
      if (session) return administratorOf(deps.fetchFor(callerOf(ctx)), session);
      // A form that was sent has a page of its own at the same path.
      await signIn(ctx, ctx.method === 'GET' ? hereOf(ctx) : ctx.path);
      return undefined;
    },

    async arrive(ctx) {
      const { state } = ctx.query;
      const departure = typeof state === 'string' ? departures.take(ctx, state) : undefined;
      if (!departure) return undefined;
      const fetch = deps.fetchFor(callerOf(ctx));
      const issued = await relyingParty.arrive(fetch, new URL(origin + hereOf(ctx)), departure);
      const tokens = await withRoles(fetch, issued);
      if (!tokens) return 'refused';
      await sessions.begin(ctx, issued.accountId, tokens);
      return { to: departure.returnTo };
    },

    async signOut(ctx) {
      const session = await sessions.find(ctx);
      await sessions.end(ctx);
      return session && relyingParty.leave(deps.fetchFor(callerOf(ctx)), session.tokens.idToken);
    },
  };
}
