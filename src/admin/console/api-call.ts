import type { StepUp } from './relying-party.js';

/** Why the management API did not do it. */
export type Refusal =
  /** Confirm who you are, and ask again (RFC 9470). */
  | { kind: 'step_up'; stepUp: StepUp }
  /** The sign-in is over. */
  | { kind: 'signed_out' }
  | {
      kind: 'problem';
      status: number;
      /** Of the closed list of the API; empty when the answer was no problem document. */
      code: string;
      /** The whole problem document (RFC 9457). */
      document: Readonly<Record<string, unknown>>;
      retryAfterSeconds?: number;
    };

export type Answer<T> = { ok: true; data: T; etag?: string } | { ok: false; refusal: Refusal };

export interface Call {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  query?: Readonly<Record<string, string | undefined>>;
  body?: unknown;
  /** The decision happens once, however often the form is sent. */
  idempotencyKey?: string;
  /** As it was when the form was shown: somebody else's change is not overwritten. */
  ifMatch?: string;
  accept?: string;
}

export const problem = (status: number, code: string): Answer<never> => ({
  ok: false,
  refusal: { kind: 'problem', status, code, document: {} },
});

/** A parameter of an authentication challenge (RFC 9110 11.2). */
const parameterOf = (challenge: string, name: string): string | undefined =>
  new RegExp(`\\b${name}=(?:"([^"]*)"|([^\\s,]+))`).exec(challenge)?.slice(1).find(Boolean);

/** What a challenge of the API asks for. */
function challenged(challenge: string): Refusal {
  if (parameterOf(challenge, 'error') !== 'insufficient_user_authentication') return { kind: 'signed_out' };
  const acrValues = parameterOf(challenge, 'acr_values');
  const maxAge = Number(parameterOf(challenge, 'max_age') ?? Number.NaN);
  return {
    kind: 'step_up',
    stepUp: { ...(acrValues ? { acrValues } : {}), ...(Number.isInteger(maxAge) ? { maxAge } : {}) },
  };
}

/** Names of members that hold instants; what a person typed is never taken for one. */
const INSTANT = /(?:At|^at|[uU]ntil|deadline|since|usableFrom)$/;
const withDates = (name: string, value: unknown): unknown =>
  INSTANT.test(name) && typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? new Date(value) : value;

export const parseJson = (text: string): unknown => (text ? JSON.parse(text, withDates) : undefined);

export async function readRefusal(response: Response): Promise<Refusal> {
  const text = await response.text();
  if (response.status === 401) return challenged(response.headers.get('www-authenticate') ?? '');
  const isProblem = response.headers.get('content-type')?.includes('json') ?? false;
  const document = (isProblem ? parseJson(text) : {}) as Readonly<Record<string, unknown>>;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return {
    kind: 'problem',
    status: response.status,
    code: typeof document.code === 'string' ? document.code : '',
    document,
    ...(Number.isInteger(retryAfter) ? { retryAfterSeconds: retryAfter } : {}),
  };
}

/** The request of one call, as `fetch` takes it. */
export function requestOf(base: string, path: string, call: Call, accessToken: string) {
  const url = new URL(base + path);
  for (const [name, value] of Object.entries(call.query ?? {})) if (value) url.searchParams.set(name, value);
  const { method = 'GET' } = call;
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return {
    url,
    init: {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: call.accept ?? 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': type }),
        ...(call.idempotencyKey ? { 'idempotency-key': call.idempotencyKey } : {}),
        ...(call.ifMatch ? { 'if-match': call.ifMatch } : {}),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    },
  };
}
