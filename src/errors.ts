/** Errors that people and callers may see: one class and a closed union of codes. */

/** Those that a page can show. Their sentences stand in the catalogue under `error.<CODE>.title` and `error.<CODE>.text`. */
export const PAGE_ERRORS = {
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

/** Those that only callers of the management API meet, with the `title` of the problem: see `docs/management-api.md`. */
export const API_ERRORS = {
  API_INPUT_INVALID: { status: 400, title: 'The input is not valid' },
  API_BODY_MALFORMED: { status: 400, title: 'The body cannot be read' },
  API_CONTENT_TYPE: { status: 415, title: 'The body has the wrong content type' },
  API_TOKEN_INVALID: { status: 401, title: 'A valid access token is needed' },
  API_FRESHNESS_REQUIRED: { status: 401, title: 'A fresh sign-in with two factors is needed' },
  API_SCOPE_INSUFFICIENT: { status: 403, title: 'The right for this is missing' },
  API_SCRIPTS_FORBIDDEN: { status: 403, title: 'Only a person may do this' },
  API_TARGET_FORBIDDEN: { status: 403, title: 'This account is out of reach for your role' },
  API_SELF_FORBIDDEN: { status: 403, title: 'Nobody may do this to their own account' },
  API_NOT_FOUND: { status: 404, title: 'There is no such thing' },
  API_THROTTLED: { status: 429, title: 'Too many requests' },
  API_PRECONDITION_REQUIRED: { status: 428, title: 'If-Match is missing' },
  API_PRECONDITION_FAILED: { status: 412, title: 'It was changed meanwhile' },
  IDEMPOTENCY_KEY_REQUIRED: { status: 400, title: 'Idempotency-Key is missing' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'This Idempotency-Key belongs to another request' },
  IDEMPOTENCY_KEY_RUNNING: { status: 409, title: 'The first request with this Idempotency-Key is still running' },
  LOGIN_TAKEN: { status: 409, title: 'The login is taken' },
  ACCOUNT_WITHOUT_ADDRESS: { status: 409, title: 'The account has no address to send a mail to' },
  ACCOUNT_INACTIVE: { status: 409, title: 'The account is not active' },
  LAST_OWNER: { status: 409, title: 'The last owner stays owner' },
  RECOVERY_REQUEST_DECIDED: { status: 409, title: 'The request is not open any more' },
  RECOVERY_NUMBER_WRONG: { status: 422, title: 'The number is not the one of this request' },
  SUSPENSION_RUNNING: { status: 409, title: 'A suspension is running already' },
  SUSPENSION_ENDED: { status: 409, title: 'The suspension has ended' },
  WEBHOOK_DISABLED: { status: 409, title: 'The endpoint is disabled' },
  CLIENT_OUT_OF_REACH: { status: 403, title: 'Only an owner decides on clients that may use the management API' },
  CLIENT_ID_TAKEN: { status: 409, title: 'The client_id is taken' },
  CLIENT_WITHOUT_SECRET: { status: 409, title: 'This client has no secret' },
  CLIENT_CONFIGURED: { status: 409, title: 'This client is set in the configuration file' },
  SMS_NOT_OFFERED: { status: 404, title: 'SMS is not among the login methods here' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ApiErrorCode = keyof typeof API_ERRORS;
export type ErrorCode = keyof typeof PAGE_ERRORS | ApiErrorCode;

export const isApiError = (code: ErrorCode): code is ApiErrorCode => Object.hasOwn(API_ERRORS, code);

const statusOf = (code: ErrorCode): number => (isApiError(code) ? API_ERRORS[code].status : PAGE_ERRORS[code]);

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
    this.status = statusOf(code);
    if (options.retryAfterSeconds !== undefined) this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
