import type { Finding } from '../../../src/platform/finding.js';
import type { TwilioSettings } from './config.js';
import { connectionTrouble } from './connection-trouble.js';
import type { HandOver, Provider, Receipt, StatusCallback, TextMessage } from './provider.js';
import { describeAccount, describeKey, type TwilioAnswer } from './twilio-account.js';
import { explainTwilioError } from './twilio-errors.js';

/** Twilio throws a message away that it could not send within this time: its code has expired by then. */
const VALIDITY_SECONDS = 300;
/** How long Twilio may take to say who we are. */
const EXAMINED_WITHIN_MS = 5_000;
/** Of no message. */
const NO_MESSAGE = `SM${'0'.repeat(32)}`;
/** An answer is about 1 KiB. */
const ANSWER_BYTES = 64 * 1024;

export interface TwilioSecrets {
  /** Signs callbacks, and authenticates requests when there is no API key. */
  authToken: string;
  apiKeySecret?: string;
}

/**
 * Messages of Twilio: https://www.twilio.com/docs/messaging/api/message-resource. The only door to its SDK.
 * @param callbackUrl where the status of one of our messages is to be reported; absent: nowhere.
 */
export function createTwilioProvider(
  settings: TwilioSettings,
  secrets: TwilioSecrets,
  callbackUrl?: (messageId: string) => string,
): Provider {
  let client: ReturnType<typeof connect> | undefined;
  const connected = () => {
    client ??= connect(settings, secrets);
    return client;
  };

  return {
    name: settings.name,
    warmUp: async () => void (await connected()),
    async send({ id, to, text }: TextMessage): Promise<HandOver> {
      const { from, messagingServiceSid } = settings;
      try {
        const { messages, forget } = await connected();
        const creating = messages.create({
          to,
          body: text,
          validityPeriod: VALIDITY_SECONDS,
          ...(from ? { from } : { messagingServiceSid }),
          ...(callbackUrl ? { statusCallback: callbackUrl(id) } : {}),
        });
        return readAnswer(await creating.finally(forget));
      } catch (error) {
        return explain(error);
      }
    },
    examine: () => examine(settings, secrets),
    ...(callbackUrl ? { readCallback: (callback) => readCallback(callback, secrets.authToken) } : {}),
  };
}

async function connect(settings: TwilioSettings, secrets: TwilioSecrets) {
  const { default: twilio } = await import('twilio');
  const { accountSid, apiKeySid, timeoutMs, apiBase } = settings;

  // A kept connection that the other side closes while we write would leave us not knowing what became of the message.
  const httpClient = new twilio.RequestClient({ timeout: timeoutMs, keepAlive: false, autoRetry: false });
  httpClient.axios.defaults.maxContentLength = ANSWER_BYTES;
  httpClient.axios.interceptors.request.use((request) => {
    if (apiBase && request.url) request.url = rebase(request.url, apiBase);
    // `timeout` is about silence: an answer that trickles in would have no end.
    request.signal = AbortSignal.timeout(timeoutMs);
    return request;
  });
  const { messages, api } =
    apiKeySid && secrets.apiKeySecret
      ? twilio(apiKeySid, secrets.apiKeySecret, { accountSid, httpClient })
      : twilio(accountSid, secrets.authToken, { accountSid, httpClient });
  return {
    messages,
    account: () => api.v2010.accounts(accountSid),
    /** The client keeps its last request and answer, with the number, the text and the token. */
    forget(): void {
      delete httpClient.lastRequest;
      delete httpClient.lastResponse;
    },
  };
}

/** The account with its auth token, which callbacks need; and the API key with what it may ask, too: for a message that is none. */
async function examine(settings: TwilioSettings, { authToken, apiKeySecret }: TwilioSecrets): Promise<Finding[]> {
  const { apiKeySid, api_key_secret_env: _variable, ...account } = settings;
  const timeoutMs = Math.min(settings.timeoutMs, EXAMINED_WITHIN_MS);
  const owner = await connect({ ...account, timeoutMs }, { authToken });
  const findings = [describeAccount(settings, await answerOf(() => owner.account().fetch()).finally(owner.forget))];
  if (!apiKeySecret) return findings;
  const key = await connect({ ...settings, timeoutMs }, { authToken, apiKeySecret });
  return [
    ...findings,
    describeKey(settings, await answerOf(() => key.messages(NO_MESSAGE).fetch()).finally(key.forget)),
  ];
}

/** Nothing else of an answer leaves this function: an account's holds its auth token, too. */
async function answerOf(ask: () => Promise<{ status: string; type?: string }>): Promise<TwilioAnswer> {
  try {
    const { status, type } = await ask();
    return { status, type };
  } catch (error) {
    const { isAxiosError, status, code } = (error ?? {}) as Record<string, unknown>;
    if (isAxiosError) return { trouble: connectionTrouble(error).code };
    if (typeof status !== 'number') return { trouble: 'ANSWER_UNREADABLE' };
    return { httpStatus: status, code: Number.isInteger(code) ? Number(code) : undefined };
  }
}

function rebase(uri: string, apiBase: string): string {
  const { pathname, search } = new URL(uri);
  return apiBase.replace(/\/+$/, '') + pathname + search;
}

function readAnswer({ sid, status, errorCode }: { sid?: unknown; status?: unknown; errorCode?: unknown }): HandOver {
  if (typeof sid !== 'string' || !sid) return { status: 'unknown', code: 'ANSWER_UNREADABLE' };
  if (status === 'failed' || status === 'undelivered' || status === 'canceled')
    return { status: 'refused', ...explainTwilioError(Number(errorCode) || 0) };
  return { status: 'accepted', providerMessageId: sid };
}

/** The SDK's messages repeat the number: none of them leaves this function. */
function explain(error: unknown): HandOver {
  const { isAxiosError, status, code } = (error ?? {}) as { isAxiosError?: unknown; status?: unknown; code?: unknown };
  if (isAxiosError) {
    const trouble = connectionTrouble(error);
    return trouble.isBeforeSending
      ? { status: 'refused', reason: 'provider_trouble', code: trouble.code, isAboutNumber: false }
      : { status: 'unknown', code: trouble.code };
  }
  if (typeof status !== 'number') return { status: 'unknown', code: 'ANSWER_UNREADABLE' };
  if (Number.isInteger(code)) return { status: 'refused', ...explainTwilioError(Number(code)) };
  // Without a word of Twilio's own a gateway has answered: the message may have passed it.
  return status >= 500 && status !== 503
    ? { status: 'unknown', code: `HTTP_${status}` }
    : { status: 'refused', reason: 'provider_trouble', code: `HTTP_${status}`, isAboutNumber: false };
}

const STATES: Readonly<Record<string, Receipt['status']>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

/** https://www.twilio.com/docs/usage/security#validating-requests: HMAC-SHA1 over the URL and the sorted form. */
async function readCallback(
  { messageId, url, headers, body }: StatusCallback,
  authToken: string,
): Promise<Receipt | 'forged' | undefined> {
  const form = formOf(body);
  const signature = headers['x-twilio-signature'];
  if (!form || !signature || !URL.canParse(url)) return 'forged';
  const { default: twilio } = await import('twilio');
  try {
    if (!twilio.validateRequest(authToken, signature, url, form)) return 'forged';
  } catch {
    return 'forged';
  }
  const status = Object.hasOwn(STATES, form.MessageStatus ?? '') ? STATES[form.MessageStatus ?? ''] : undefined;
  if (!status) return undefined;
  const { reason, code } = explainTwilioError(Number(form.ErrorCode) || 0);
  return {
    messageId,
    ...(form.MessageSid ? { providerMessageId: form.MessageSid } : {}),
    status,
    ...(status === 'failed' ? { reason, code } : {}),
  };
}

/** Twilio sends each field once; of a repeated one nobody could say which was meant. */
function formOf(body: string): Record<string, string> | undefined {
  const pairs = [...new URLSearchParams(body)];
  return new Set(pairs.map(([name]) => name)).size === pairs.length ? Object.fromEntries(pairs) : undefined;
}
