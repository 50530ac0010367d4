/** Failures of making the connection: nothing has left this machine. */
const BEFORE_SENDING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Names for what clients give up with when the time is over. */
const TIMED_OUT = new Set(['ECONNABORTED', 'ETIMEDOUT', 'ERR_CANCELED', 'TimeoutError', 'AbortError']);

const DEEPEST_CAUSE = 5;

/** What went wrong with a connection, in a word that is safe to log. The error's message may hold the request: it is not read. */
export interface ConnectionTrouble {
  code: string;
  /** Nothing can have been sent. */
  isBeforeSending: boolean;
}

/** @param error of axios or of fetch: the reason stands in its `code`, its `name`, or in one of its causes. */
export function connectionTrouble(error: unknown): ConnectionTrouble {
  const words = wordsOf(error);
  const before = words.find((word) => BEFORE_SENDING.has(word));
  if (before) return { code: before, isBeforeSending: true };
  if (words.some((word) => TIMED_OUT.has(word))) return { code: 'TIMEOUT', isBeforeSending: false };
  return { code: words.find((word) => /^[A-Z][A-Z_]{2,40}$/.test(word)) ?? 'BROKEN_OFF', isBeforeSending: false };
}

function wordsOf(error: unknown): string[] {
  const words: string[] = [];
  let cause = error;
  for (let depth = 0; typeof cause === 'object' && cause !== null && depth < DEEPEST_CAUSE; depth += 1) {
    const { name, code, cause: deeper } = cause as { name?: unknown; code?: unknown; cause?: unknown };
    for (const word of [code, name]) if (typeof word === 'string') words.push(word);
    cause = deeper;
  }
  return words;
}
