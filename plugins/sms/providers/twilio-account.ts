import type { Finding } from '../../../src/platform/finding.js';
import type { TwilioSettings } from './config.js';

/** What Twilio said about an account or a message, or why it said nothing. */
export type TwilioAnswer =
  | { status: string; type: string | undefined }
  | { httpStatus: number; code: number | undefined }
  /** A word for what went wrong with the connection. */
  | { trouble: string };

const OK = (what: string): Finding => ({ level: 'ok', what });
const WARNING = (what: string): Finding => ({ level: 'warning', what });
const ERROR = (what: string): Finding => ({ level: 'error', what });

/** Twilio's error codes about who asks: https://www.twilio.com/docs/api/errors. */
const NOT_ACTIVE = 20005;
const NOT_PERMITTED = 70051;

/** What the operator should know of the account that messages are sent from. */
export function describeAccount({ auth_token_env: variable }: TwilioSettings, answer: TwilioAnswer): Finding {
  if ('status' in answer) {
    if (answer.status !== 'active') return inactive(answer.status);
    return answer.type === 'Trial'
      ? WARNING('a trial account, which sends to confirmed numbers only: upgrade it')
      : OK('the account is active, and the auth token right');
  }
  if ('httpStatus' in answer && answer.code === NOT_ACTIVE) return inactive('not active');
  if ('httpStatus' in answer && answer.httpStatus === 401)
    return ERROR(
      `accountSid and the auth token in ${variable} do not belong together: copy both from Twilio's console`,
    );
  if ('httpStatus' in answer && answer.httpStatus === 404)
    return ERROR('there is no such account: accountSid is another, or apiBase that of another region');
  return unasked(answer);
}

/** @param answer to a question for a message that is none: who is told that there is none was taken. */
export function describeKey({ api_key_secret_env: variable }: TwilioSettings, answer: TwilioAnswer): Finding {
  if ('status' in answer) return OK('the API key is right');
  if ('httpStatus' in answer && (answer.httpStatus === 404 || answer.code === NOT_PERMITTED))
    return OK('the API key is right');
  if ('httpStatus' in answer && answer.httpStatus === 401)
    return ERROR(
      `apiKeySid and the secret in ${variable} do not belong together, or to this account: make a new API key`,
    );
  return unasked(answer);
}

const inactive = (status: string): Finding => ERROR(`the account is ${status}: see Twilio's console`);

function unasked(answer: Exclude<TwilioAnswer, { status: string }>): Finding {
  if ('httpStatus' in answer) return ERROR(`answers ${answer.httpStatus}${answer.code ? ` (${answer.code})` : ''}`);
  return ERROR(`cannot be reached from here (${answer.trouble}): may the server out, and is apiBase right?`);
}
