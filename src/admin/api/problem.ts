import { STATUS_CODES } from 'node:http';
import { API_ERRORS, type ApiErrorCode, AppError, isApiError } from '../../errors.js';

/** One thing that is wrong with the input: where, and what. */
export interface InputError {
  /** `body.name`, `query.limit`, `header.If-Match`. */
  path: string;
  message: string;
}

/** What a problem says beyond its code. */
export interface ProblemFacts {
  /** For the developer who reads it; no secret, nothing of another account. */
  detail?: string;
  errors?: InputError[];
  /** Further members (RFC 9457 section 3.2). */
  members?: Record<string, unknown>;
  headers?: Record<string, string>;
  retryAfterSeconds?: number;
}

/** A refusal of the management API, told as an RFC 9457 problem. */
export class ApiProblem extends AppError {
  constructor(
    code: ApiErrorCode,
    readonly facts: ProblemFacts = {},
  ) {
    const { retryAfterSeconds } = facts;
    super(code, facts.detail ?? code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    this.name = 'ApiProblem';
  }
}

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** Any error of ours as a problem. @param docs address of the readable page, where each code is explained. */
export function problemOf(error: AppError, requestId: string, docs: string): ProblemAnswer {
  const { code, status, retryAfterSeconds } = error;
  const { detail, errors, members = {}, headers = {} } = error instanceof ApiProblem ? error.facts : {};
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterSeconds)) }),
      ...headers,
    },
    body: {
      type: `${docs}#${code}`,
      title: isApiError(code) ? API_ERRORS[code].title : STATUS_CODES[status],
      status,
      code,
      ...(detail ? { detail } : {}),
      ...(errors ? { errors } : {}),
      ...members,
      requestId,
    },
  };
}

export const notFound = (detail?: string): ApiProblem => new ApiProblem('API_NOT_FOUND', detail ? { detail } : {});
