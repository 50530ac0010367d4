/** Errors that people and callers may see: one class and a closed union of codes. */

/** Every code with its HTTP status. The sentences stand in the catalogue under `error.<CODE>.title` and `error.<CODE>.text`. */
export const ERRORS = {
  REQUEST_MALFORMED: 400,
  REQUEST_TOO_LARGE: 413,
  REQUEST_FOREIGN_HOST: 421,
  REQUEST_FOREIGN_ORIGIN: 403,
  REQUEST_FORGED: 403,
  PAGE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  INTERACTION_ENDED: 400,
  INTERACTION_FOREIGN: 400,
  LINK_UNUSABLE: 400,
  FACTOR_NOT_FOUND: 404,
  FACTOR_UNAVAILABLE: 400,
  ENROLMENT_EXPIRED: 400,
  ENROLMENT_NOT_PERMITTED: 403,
  ACCOUNT_UNUSABLE: 403,
  OVERLOADED: 503,
  DATABASE_UNAVAILABLE: 503,
  OAUTH_ERROR: 400,
  CONFIGURATION_INVALID: 500,
  INTERNAL: 500,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERRORS;

/** A fault or refusal with a code of the closed union. `message` is for the log and never holds a secret. */
export class AppError extends Error {
  readonly status: number;
  /** Seconds until a retry makes sense; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;

  constructor(
    readonly code: ErrorCode,
    message: string = code,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.status = ERRORS[code];
    if (options.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
