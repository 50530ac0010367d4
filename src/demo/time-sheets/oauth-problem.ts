import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';

/** A failed sign-in in words for the person, with the protocol's own words beneath. */
export interface Problem {
  title: string;
  text: string;
  code: string;
  description?: string;
}

/** The issuer takes the sign-in for over. */
export const isEnded = ({ code }: Problem): boolean => code === 'invalid_grant' || code === 'invalid_token';

const ENDED = [
  'Your sign-in has ended',
  'The session behind it was ended: by you, by "sign out everywhere", by a changed password or by time.',
] as const;

const WORDS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  access_denied: ['The sign-in was cancelled', 'Nothing happened to your account. You can sign in whenever you like.'],
  unmet_authentication_requirements: [
    'This needs a stronger sign-in than you can give',
    'The application insisted on a level that no method on your account reaches. A lower level would not have been true, so there is no token at all.',
  ],
  login_required: [
    'You have to sign in first',
    'The application asked not to show any page, and one would have been needed.',
  ],
  invalid_grant: ENDED,
  invalid_token: ENDED,
  invalid_client: [
    'The application is not registered as it thinks',
    'The identifier or secret of the demonstration differs from the server’s configuration.',
  ],
  temporarily_unavailable: ['Signing in is not possible right now', 'Try again in a moment.'],
  server_error: ['The sign-in server could not go on', 'Try again in a moment.'],
  OAUTH_RESPONSE_IS_NOT_CONFORM: ['Signing in is not possible right now', 'Try again in a moment.'],
  unreachable: ['The sign-in server does not answer', 'Is it still running? Its address is on the tour page.'],
  unknown_state: [
    'This sign-in is finished or was started elsewhere',
    'A sign-in can come back once, in the browser that began it. Start it again from here.',
  ],
};

const FALLBACK = ['The sign-in did not work', 'The server gave the reason below.'] as const;

export function problem(code: string, description?: string): Problem {
  const [title, text] = (Object.hasOwn(WORDS, code) && WORDS[code]) || FALLBACK;
  return { title, text, code, ...(description ? { description } : {}) };
}

/** @throws the error again when it is none of OAuth's. */
export function problemOf(error: unknown): Problem {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError)
    return problem(error.error, error.error_description);
  if (error instanceof WWWAuthenticateChallengeError) return problem('invalid_token');
  if (isUnreachable(error)) return problem('unreachable');
  // The library's message names the check that failed; it quotes no token.
  if (error instanceof ClientError) return problem(error.code ?? 'invalid_response', error.message);
  throw error;
}

/** `fetch` has no error class of its own for "nobody answered"; the library hands its error on, sometimes wrapped. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.message === 'fetch failed') return true;
  return error instanceof ClientError && (/TIMEOUT|ABORT/.test(error.code ?? '') || hasFetchFailure(error.cause));
}

const hasFetchFailure = (cause: unknown): boolean =>
  typeof cause === 'object' && cause !== null && 'message' in cause && cause.message === 'fetch failed';
