import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, systemClock } from '../../platform/clock.js';
import { openListener } from '../../platform/listener.js';
import { type Behaviour, magicReceiver } from './behaviour.js';
import { errorAnswer, isAboutDelivery } from './errors.js';
import { API_VERSION, type KeptMessage, keep, resourceOf } from './message.js';
import { type Credentials, isAuthentic, wrongField } from './request-check.js';
import { callBack, type Status } from './status-callbacks.js';

const MOST_MESSAGES = 200;
const BODY_BYTES = 64 * 1024;
const BETWEEN_CALLBACKS_MS = 250;

export interface TwilioOptions extends Credentials {
  /** 0, the default: any free one. */
  port?: number;
  host?: string;
  /** Between one status callback and the next. */
  callbackEveryMs?: number;
  /** Hears of each message that was taken, before it is answered. */
  onMessage?(message: KeptMessage): void;
  clock?: Clock;
}

export interface TwilioStandIn {
  port: number;
  /** For the setting `apiBase`. */
  url: string;
  /** Those taken, newest first; the last 200. */
  readonly messages: readonly KeptMessage[];
  /** How many requests came in, whatever became of them. */
  readonly requests: number;
  /** What happens to the messages to a number from now on, or to all of them; Twilio's magic numbers work without. */
  plan(behaviour: Behaviour, to?: string): void;
  /** What the account says of itself. */
  account: { status: 'active' | 'suspended' | 'closed'; type: 'Full' | 'Trial' };
  /** Forgets plans and messages. */
  reset(): void;
  stop(): Promise<void>;
}

/**
 * Starts a server that behaves like `POST /2010-04-01/Accounts/{AccountSid}/Messages.json` of Twilio, and answers who asks for the
 * account or for a message.
 */
export async function startTwilio(options: TwilioOptions): Promise<TwilioStandIn> {
  const { accountSid, host = '127.0.0.1', callbackEveryMs = BETWEEN_CALLBACKS_MS, clock = systemClock } = options;
  const messages: KeptMessage[] = [];
  const plans = new Map<string, Behaviour>();
  const ending = new AbortController();
  // Every message on its way listens.
  setMaxListeners(0, ending.signal);
  let everyone: Behaviour = {};
  let requests = 0;

  const answer = (response: ServerResponse, { status, body }: { status: number; body: Record<string, unknown> }) => {
    response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' }).end(JSON.stringify(body));
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1;
    const fields = await readForm(request);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const { authorization = '' } = request.headers;
    if (!isAuthentic(authorization, options)) return answer(response, errorAnswer(20003));
    if (request.method === 'GET')
      return everyone.hangs ? undefined : answer(response, resourceAt(pathname, authorization));
    if (request.method !== 'POST' || pathname !== `/${API_VERSION}/Accounts/${accountSid}/Messages.json`)
      return answer(response, errorAnswer(20404));
    const wrong = wrongField(fields);
    if (wrong) return answer(response, errorAnswer(wrong.code, wrong.number));
    await take(fields, response);
  }

  /** The account, or one of its messages. */
  function resourceAt(pathname: string, authorization: string): { status: number; body: Record<string, unknown> } {
    const [, account, sid] = /^\/[^/]+\/Accounts\/(\w+)(?:\/Messages\/(\w+))?\.json$/.exec(pathname) ?? [];
    const message = messages.find((one) => one.sid === sid);
    if (account !== accountSid || (sid && !message)) return errorAnswer(20404);
    if (message) return { status: 200, body: resourceOf(message, accountSid) };
    // An API key may ask for everything but this.
    if (!isAuthentic(authorization, { accountSid, authToken: options.authToken })) return errorAnswer(20003);
    return { status: 200, body: { sid: accountSid, auth_token: options.authToken, ...standIn.account } };
  }

  async function take(fields: URLSearchParams, response: ServerResponse): Promise<void> {
    const to = fields.get('To') ?? '';
    const { errorCode, hangs, breaksOff, slowMs, isSilent } = plans.get(to) ?? magicReceiver(to) ?? everyone;
    if (hangs) return;
    if (breaksOff) return void response.destroy();
    if (slowMs) await pause(slowMs, undefined, { signal: ending.signal });
    if (errorCode && !isAboutDelivery(errorCode)) return answer(response, errorAnswer(errorCode, to));
    const message = keep(fields, clock.now());
    messages.unshift(message);
    messages.length = Math.min(messages.length, MOST_MESSAGES);
    options.onMessage?.(message);
    answer(response, { status: 201, body: resourceOf(message, accountSid) });
    if (!isSilent) await report(message, errorCode);
  }

  async function report(message: KeptMessage, errorCode: number | undefined): Promise<void> {
    const end: Status = errorCode ? { status: 'undelivered', errorCode } : { status: 'delivered' };
    for (const status of [{ status: message.status }, { status: 'sent' as const }, end]) {
      await pause(callbackEveryMs, undefined, { signal: ending.signal });
      Object.assign(message, status);
      await callBack(message, status, { ...options, signal: ending.signal });
    }
  }

  const listener = await openListener(
    (request, response) => {
      // What ends in the middle was ended by the client, or by `stop`.
      handle(request, response).catch(() => response.destroy());
    },
    { host, port: options.port ?? 0 },
  );
  const standIn: TwilioStandIn = {
    account: { status: 'active', type: 'Full' },
    port: listener.port,
    url: `http://${host}:${listener.port}`,
    messages,
    get requests() {
      return requests;
    },
    plan(behaviour, to) {
      if (to) plans.set(to, behaviour);
      else everyone = behaviour;
    },
    reset() {
      plans.clear();
      everyone = {};
      messages.length = 0;
      standIn.account = { status: 'active', type: 'Full' };
    },
    async stop() {
      ending.abort();
      await listener.close(0);
    },
  };
  return standIn;
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > BODY_BYTES) throw new Error('the form is too long');
    chunks.push(chunk);
  }
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return new URLSearchParams(isForm ? Buffer.concat(chunks).toString('utf8') : '');
}
