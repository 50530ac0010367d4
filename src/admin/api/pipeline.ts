import { Readable } from 'node:stream';
import type { Context } from 'koa';
import { z } from 'zod';
import { AppError } from '../../errors.js';
import { logRefusal, originOf, stateOf, toAppError } from '../../http/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { ACR } from '../../policy/levels.js';
import type { Throttle } from '../../throttle/contract.js';
import type { Presented } from './access-token.js';
import { type Caller, callerKey } from './caller.js';
import { checkIfMatch, etagOf, namesEtag } from './etag.js';
import type { Idempotency } from './idempotency.js';
import { checkInput, readJson, readQuery } from './input.js';
import { ApiProblem, notFound, problemOf } from './problem.js';
import { checkRights, checkTarget, type createRefusalRecord } from './rights-check.js';
import type { Call, Reply, Route, Subject } from './route.js';
import type { Router } from './router.js';

export interface PipelineDeps {
  /** `<issuer>/api/v1`. */
  base: string;
  router: Router;
  authenticate(presented: Presented): Promise<Caller>;
  recordRefusal: ReturnType<typeof createRefusalRecord>;
  idempotency: Idempotency;
  throttle: Throttle;
  /** Of one caller, over all its operations. */
  requestsPerMinute: number;
  clock: Clock;
  logger: Logger;
}

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';
const NOTHING = z.strictObject({});
const CHANGES = new Set(['PUT', 'PATCH', 'DELETE']);

/**
 * What happens to every request, in this order: who is it, how often, may they, is the input right, is it there and within
 * reach, is it still what the caller has seen, was it done before; then the operation, and its answer held against its schema.
 */
export function createPipeline(deps: PipelineDeps): (ctx: Context, path: string) => Promise<void> {
  const { base, clock } = deps;

  const slowDown = async (caller: Caller): Promise<void> => {
    const rule = { counter: 'requests', limit: deps.requestsPerMinute, windowSeconds: 60 };
    const reservation = await deps.throttle.reserve(`api:${callerKey(caller)}`, [rule]);
    if (reservation.reserved) return;
    const retryAt = reservation.retryAt ?? clock.now();
    const retryAfterSeconds = Math.max(1, (retryAt.getTime() - clock.now().getTime()) / 1000);
    throw new ApiProblem('API_THROTTLED', { retryAfterSeconds });
  };

  const readSubject = async (ctx: Context, route: Route, params: Record<string, string>, caller: Caller) => {
    if (!route.subject) return undefined;
    const subject = await route.subject({ params, caller });
    if (!subject) throw notFound();
    checkTarget(route, caller, subject);
    if (CHANGES.has(route.method)) checkIfMatch(ctx.get('if-match'), subject.representation);
    return subject;
  };

  const perform = async (
    ctx: Context,
    route: Route,
    params: Record<string, string>,
    caller: Caller,
  ): Promise<Reply> => {
    checkRights(route, caller, clock.now(), ACR['2fa']);
    if (route.params && !route.params.safeParse(params).success) throw notFound();
    const query = checkInput(route.query ?? NOTHING, readQuery(ctx.querystring), 'query');
    const raw = route.method === 'GET' ? undefined : await readJson(ctx.req);
    const body = route.body ? checkInput(route.body, raw ?? {}, 'body') : checkInput(NOTHING, raw ?? {}, 'body');
    const run = async (): Promise<Reply> => {
      const subject: Subject | undefined = await readSubject(ctx, route, params, caller);
      const call: Call<unknown, unknown, unknown, unknown> = {
        caller,
        actor: {
          ...(caller.kind === 'account'
            ? { type: 'account', id: caller.account.id }
            : { type: 'client', id: caller.clientId }),
          origin: originOf(ctx),
        },
        origin: originOf(ctx),
        params,
        query,
        body,
        subject: subject?.value,
        wantsLines: route.ndjson !== undefined && ctx.accepts(JSON_TYPE, NDJSON_TYPE) === NDJSON_TYPE,
        href: `${base}${ctx.path.slice(new URL(base).pathname.length)}?${ctx.querystring}`,
      };
      const reply = await route.handle(call as Parameters<Route['handle']>[0]);
      return checkReply(route, withEtag(route, reply));
    };
    if (route.method !== 'POST') return run();
    return deps.idempotency.once(
      {
        key: ctx.get('idempotency-key'),
        caller: callerKey(caller),
        operation: `${route.method} ${ctx.path}`,
        input: [query, raw ?? null],
        ...(route.secrets ? { secrets: route.secrets } : {}),
      },
      run,
    );
  };

  const answer = async (ctx: Context, path: string): Promise<void> => {
    const match = deps.router.find(ctx.method, path);
    if ('methods' in match) {
      const methods = match.methods.includes('GET') ? [...match.methods, 'HEAD'] : match.methods;
      ctx.set('Allow', methods.join(', '));
      throw new AppError('METHOD_NOT_ALLOWED', 'operation with other methods');
    }
    const { route, params } = match;
    stateOf(ctx).route = `api:${route.id}`;
    const caller = await deps.authenticate({
      authorization: ctx.get('authorization'),
      proof: ctx.get('dpop'),
      method: ctx.method,
      url: new URL(ctx.path, base).href,
    });
    await slowDown(caller);
    try {
      send(ctx, route, await perform(ctx, route, params, caller));
    } catch (error) {
      if (error instanceof ApiProblem) await deps.recordRefusal(caller, route, error, originOf(ctx));
      throw error;
    }
  };

  return async (ctx, path) => {
    try {
      await answer(ctx, path);
    } catch (cause) {
      const error = toAppError(cause);
      logRefusal(deps.logger, ctx, error);
      // What was not read of the body must not stand in the way of the answer.
      ctx.req.resume();
      const { status, headers, body } = problemOf(error, stateOf(ctx).requestId, `${base}/docs`);
      ctx.status = status;
      ctx.body = JSON.stringify(body);
      ctx.set(headers);
    }
  };
}

/** A validator of one resource, for `If-Match` and `If-None-Match`; what is shown once has none. */
function withEtag(route: Route, reply: Reply): Reply {
  const isResource = !route.secrets && (route.subject || reply.headers?.Location !== undefined);
  if (!isResource || reply.body === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, ETag: etagOf(reply.body) } };
}

/** What is not in the schema does not leave: a field added by mistake is a fault, not a leak. */
function checkReply(route: Route, reply: Reply): Reply {
  const { schema } = route.responses[reply.status] ?? {};
  if (reply.lines || (reply.body === undefined && !schema)) return reply;
  const parsed = schema?.safeParse(reply.body);
  if (parsed?.success) return { ...reply, body: parsed.data };
  throw new AppError('INTERNAL', `answer ${reply.status} of ${route.id} is not what its schema says`, {
    cause: parsed?.error,
  });
}

function send(ctx: Context, route: Route, { status, body, headers = {}, lines }: Reply): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.set(headers);
  if (lines) {
    ctx.type = NDJSON_TYPE;
    ctx.body = Readable.from(asLines(lines));
    return;
  }
  if (body === undefined) {
    ctx.body = null;
    ctx.status = status;
    return;
  }
  if (route.method === 'GET' && namesOld(ctx)) {
    ctx.status = 304;
    return;
  }
  ctx.body = JSON.stringify(body);
  ctx.type = JSON_TYPE;
}

const namesOld = (ctx: Context): boolean => {
  const [seen, current] = [ctx.get('if-none-match'), ctx.response.get('etag')];
  return seen !== '' && current !== '' && namesEtag(seen, current);
};

async function* asLines(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`;
}
