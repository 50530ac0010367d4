import type { ApiAnswer, ApiRequest } from '../../src/factors/contract.js';

/** Every refusal that a phone can meet: see `docs/app-protocol.md`. */
const PROBLEMS = {
  BAD_REQUEST: { status: 400, title: 'The request is not as described' },
  USE_NONCE: { status: 401, title: 'Repeat it with the nonce of this answer' },
  DEVICE_REFUSED: { status: 401, title: 'This device is not accepted' },
  NOT_FOUND: { status: 404, title: 'There is no such address' },
  REFUSED: { status: 409, title: 'Not possible, or not any more' },
  WRONG_NUMBER: { status: 422, title: 'The number is not the one on the page' },
  TOO_MANY: { status: 429, title: 'Later' },
} as const;
export type ProblemCode = keyof typeof PROBLEMS;

/** @param more further members, such as `triesLeft` */
export function problem(code: ProblemCode, more: object = {}): ApiAnswer {
  return { status: PROBLEMS[code].status, body: { ...PROBLEMS[code], code, ...more } };
}

/** @param seconds until it makes sense again */
export const tooMany = (seconds: number): ApiAnswer => ({
  ...problem('TOO_MANY'),
  headers: { 'Retry-After': String(Math.max(1, Math.ceil(seconds))) },
});

export const ok = (body: object = {}): ApiAnswer => ({ status: 200, body });

/** The body as JSON; undefined when it is none. */
export function readJson({ headers, body }: ApiRequest): unknown {
  if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? '')) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
