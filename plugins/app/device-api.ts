import type { z } from 'zod';
import type { ApiAnswer, ApiRequest, FactorAccount, FactorDeps, MethodApi } from '../../src/factors/contract.js';
import type { ChallengeDocument, Challenges } from './challenges.js';
import type { AppData, Device } from './data.js';
import { ok, problem } from './envelope.js';
import { OPENAPI_PATH, openApiDocument } from './openapi.js';
import { pairingBody } from './pair.js';
import { isAuthenticated, type RequestAuth } from './request-auth.js';

/** One signed request of one phone. */
export interface DeviceCall<Body = unknown> {
  device: Device;
  /** As it is now, and active. */
  account: FactorAccount;
  /** What waits for an answer of this phone, the newest last, for an endpoint that `readsWaiting`. */
  waiting: readonly ChallengeDocument[];
  /** Checked by the endpoint's schema. */
  body: Body;
  /** Of the path. */
  params: Readonly<Record<string, string>>;
  request: ApiRequest;
}

/** One address of the protocol, below `/device/v1`. */
export interface Endpoint<Body = unknown> {
  /** Such as `/challenges/:id/answer`; a parameter is up to 64 letters, digits, `-` and `_`. */
  path: string;
  body: z.ZodType<Body>;
  /** Whether a phone whose digits have not been typed yet may ask, too. */
  isForPending?: boolean;
  /** Whether it is about what waits for an answer: read together with the phone. */
  readsWaiting?: true;
  /** Answers with `ok` or `problem` of `envelope.ts`; the rest of the answer is not its affair. */
  handle(call: DeviceCall<Body>): Promise<ApiAnswer>;
}

/** The same, its body's type inferred and then forgotten: for the table. */
export const endpoint = <Body>(one: Endpoint<Body>): Endpoint => one as unknown as Endpoint;

const PATH = '/device/v1';
const PARAMETER = /^[\w-]{1,64}$/;

/** The parameters of a path that is the pattern's; undefined when it is another one. */
function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [names, parts] = [pattern.split('/'), path.split('/')];
  const isThis =
    names.length === parts.length &&
    names.every((name, n) => (name.startsWith(':') ? PARAMETER.test(parts[n] ?? '') : name === parts[n]));
  if (!isThis) return undefined;
  return Object.fromEntries(
    names.flatMap((name, n) => (name.startsWith(':') ? [[name.slice(1), parts[n] ?? '']] : [])),
  );
}

/** What phones call. @param pair the one request that comes from nobody's phone yet */
export function createDeviceApi(
  { clock, issuer }: Pick<FactorDeps<AppData>, 'clock' | 'issuer'>,
  {
    auth,
    challenges,
    pair,
    endpoints,
  }: {
    auth: RequestAuth;
    challenges: Pick<Challenges, 'waitingFor'>;
    pair(request: ApiRequest): Promise<ApiAnswer>;
    endpoints: readonly Endpoint[];
  },
): MethodApi {
  const answerTo = async (request: ApiRequest): Promise<ApiAnswer> => {
    if (request.verb !== 'POST') return problem('NOT_FOUND');
    if (request.path === '/pairing') return pair(request);
    for (const { path, body: schema, isForPending = false, readsWaiting, handle } of endpoints) {
      const params = paramsOf(path, request.path);
      if (!params) continue;
      const result = await auth.authenticate<ChallengeDocument>(request, readsWaiting && challenges.waitingFor);
      if (!isAuthenticated(result)) return result;
      const { device, account, beside: waiting, body } = result;
      const read = schema.safeParse(body);
      if (!read.success) return problem('BAD_REQUEST');
      if (device.state === 'pending' && !isForPending) return problem('REFUSED');
      return handle({ device, account, waiting, body: read.data, params, request });
    }
    return problem('NOT_FOUND');
  };

  const withNonce = (answer: ApiAnswer): ApiAnswer => ({
    ...answer,
    headers: { ...answer.headers, 'Device-Nonce': auth.nonce() },
  });
  const complete = (answer: ApiAnswer): ApiAnswer => ({
    ...withNonce(answer),
    body: { ...answer.body, serverTime: clock.now().toISOString() },
  });

  let document: object | undefined;
  const describe = (): object => {
    document ??= openApiDocument(issuer, PATH, [{ path: '/pairing', body: pairingBody }, ...endpoints]);
    return document;
  };

  return {
    path: PATH,
    async call(request) {
      if (request.verb === 'GET' && request.path === OPENAPI_PATH) return ok(describe());
      const answer = await answerTo(request);
      const { listener } = answer;
      return listener
        ? { ...withNonce(answer), listener: { ...listener, busy: complete(listener.busy) } }
        : complete(answer);
    },
  };
}
