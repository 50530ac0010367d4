import { createHash } from 'node:crypto';
import { ApiProblem } from './problem.js';

/** A strong validator (RFC 9110 section 8.8.3) of what is shown. */
export const etagOf = (representation: unknown): string =>
  `"${createHash('sha256').update(JSON.stringify(representation)).digest('base64url').slice(0, 27)}"`;

/** Whether a header with entity tags names this one. Weak ones never match strongly (RFC 9110 section 13.1.1). */
export function namesEtag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((candidate) => candidate.trim() === etag);
}

/**
 * PUT, PATCH and DELETE say what they have seen: nobody writes over a change they do not know.
 * @throws ApiProblem API_PRECONDITION_REQUIRED (RFC 6585 section 3), API_PRECONDITION_FAILED
 */
export function checkIfMatch(header: string, representation: unknown): void {
  if (!header) {
    throw new ApiProblem('API_PRECONDITION_REQUIRED', {
      detail: 'send the ETag of what you have read as If-Match, or * for whatever is there',
    });
  }
  if (!namesEtag(header, etagOf(representation))) throw changedMeanwhile();
}

export const changedMeanwhile = (): ApiProblem =>
  new ApiProblem('API_PRECONDITION_FAILED', { detail: 'read it again, then decide' });
