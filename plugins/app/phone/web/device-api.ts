import { randomText, sha256 } from './base64url.js';
import { type DeviceKey, signJws } from './device-key.js';
import { eventReader } from './event-reader.js';
import {
  type AnswerOutcome,
  type Challenge,
  type Decision,
  type DeviceState,
  type Paired,
  type PairingOffer,
  Refusal,
  type RefusalCode,
} from './protocol.js';

/** Who signs: the device id and its key; before there is an id, the key's thumbprint. */
export interface Signer {
  id: string;
  key: Pick<DeviceKey, 'privateKey'>;
}

export interface DeviceApiOptions {
  /** Without a slash at its end. */
  issuer: string;
  fetch: typeof fetch;
  /** Milliseconds since the epoch, of this phone. */
  now(): number;
  /** Hears of the server's clock with every answer. @param offsetMs the server's time minus the phone's */
  onClock(offsetMs: number): void;
}

/** Whoever listens. */
export interface Ears {
  /** Ends it. */
  signal: AbortSignal;
  /** @param event `begun`: the first of it is there, nothing in between holds it back */
  heard(event: 'begun' | 'changed' | 'revoked'): void;
}

/** Every request of the protocol, signed; each @throws Refusal. */
export interface DeviceApi {
  pair(key: DeviceKey, request: PairingOffer): Promise<Paired>;
  state(signer: Signer): Promise<DeviceState>;
  remove(signer: Signer): Promise<void>;
  /** Where to wake this phone. */
  push(signer: Signer, subscription: PushSubscriptionJSON): Promise<DeviceState['push']['state']>;
  challenges(signer: Signer): Promise<Challenge[]>;
  /** Listens until either side ends it. */
  watch(signer: Signer, ears: Ears): Promise<void>;
  /** @param number with `approve`, the digits as typed */
  answer(signer: Signer, challenge: Challenge, decision: Decision, number?: string): Promise<AnswerOutcome>;
}

const TIMEOUT_MS = 15_000;
/** Of an answer that stays open: something comes more often. */
const SILENCE_MS = 45_000;
/** With no nonce, or an old one, the first is refused; a second refusal is an error. */
const TRIES = 2;
const CODES = new Set<string>([
  'BAD_REQUEST',
  'USE_NONCE',
  'DEVICE_REFUSED',
  'NOT_FOUND',
  'REFUSED',
  'WRONG_NUMBER',
  'TOO_MANY',
]);

interface Sent {
  response: Response;
  sentAt: number;
}

interface Answer {
  code?: string;
  serverTime?: string;
  triesLeft?: number;
}

export function createDeviceApi({ issuer, fetch, now, onClock }: DeviceApiOptions): DeviceApi {
  let nonce: string | undefined;

  async function send(url: string, body: string, signature: string, signal?: AbortSignal): Promise<Sent> {
    try {
      const sentAt = now();
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Device-Signature': signature },
        body,
        // Nothing of the browser's sign-ins belongs here.
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
      });
      return { response, sentAt };
    } catch {
      throw new Refusal('OFFLINE');
    }
  }

  async function read({ response, sentAt }: Sent): Promise<Answer> {
    const answer: Answer = await response.json().catch(() => {
      throw new Refusal('OFFLINE');
    });
    const at = Date.parse(answer.serverTime ?? '');
    // Half the way there and back: as near as one exchange can tell.
    if (Number.isFinite(at)) onClock(Math.round(at - (sentAt + now()) / 2));
    return answer;
  }

  /** An answer that is none of the refusals; its body is not read yet. */
  async function ask({ id, key }: Signer, path: string, content: object, signal?: AbortSignal): Promise<Sent> {
    const url = issuer + path;
    const body = JSON.stringify(content);
    const bh = await sha256(body);
    for (let tries = 1; ; tries += 1) {
      const claims = { aud: issuer, htm: 'POST', htu: url, bh, ...(nonce ? { nonce } : {}), jti: randomText(16) };
      const signature = await signJws(key, { typ: 'countersign-request+jwt', kid: id }, claims);
      const sent = await send(url, body, signature, signal);
      const { headers, ok } = sent.response;
      nonce = headers.get('Device-Nonce') ?? nonce;
      if (ok) return sent;
      const { code: told = '', triesLeft } = await read(sent);
      const code = (CODES.has(told) ? told : 'OFFLINE') as RefusalCode;
      if (code === 'USE_NONCE' && tries < TRIES) continue;
      const retryAfter = Number(headers.get('Retry-After'));
      throw new Refusal(code === 'USE_NONCE' ? 'OFFLINE' : code, {
        ...(triesLeft === undefined ? {} : { triesLeft }),
        ...(retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
      });
    }
  }

  const call = async <Result>(signer: Signer, path: string, content: object): Promise<Result> =>
    (await read(await ask(signer, path, content))) as Result;

  return {
    pair: (key, request) => call({ id: key.thumbprint, key }, '/device/v1/pairing', { ...request, key: key.publicJwk }),
    state: (signer) => call(signer, '/device/v1/device', {}),
    async remove(signer) {
      await call(signer, '/device/v1/remove', {});
    },
    async push(signer, { endpoint, keys }) {
      const content = { subscription: { endpoint, keys } };
      return (await call<Pick<DeviceState, 'push'>>(signer, '/device/v1/push', content)).push.state;
    },
    challenges: async (signer) =>
      (await call<{ challenges: Challenge[] }>(signer, '/device/v1/challenges', {})).challenges,
    async watch(signer, { signal, heard }) {
      const line = new AbortController();
      const hangUp = (): void => line.abort();
      signal.addEventListener('abort', hangUp);
      let watchdog = setTimeout(hangUp, TIMEOUT_MS);
      try {
        const { response } = await ask(signer, '/device/v1/watch', {}, line.signal);
        const isStream = response.headers.get('Content-Type')?.startsWith('text/event-stream');
        const reader = isStream ? response.body?.getReader() : undefined;
        if (!reader) throw new Refusal('OFFLINE');
        const eventsIn = eventReader();
        const decoder = new TextDecoder();
        for (let isFirst = true; ; isFirst = false) {
          const { done, value } = await reader.read();
          if (done) return;
          clearTimeout(watchdog);
          watchdog = setTimeout(hangUp, SILENCE_MS);
          if (isFirst) heard('begun');
          for (const name of eventsIn(decoder.decode(value, { stream: true })))
            if (name === 'changed' || name === 'revoked') heard(name);
        }
      } catch (error) {
        throw error instanceof Refusal ? error : new Refusal('OFFLINE');
      } finally {
        clearTimeout(watchdog);
        signal.removeEventListener('abort', hangUp);
        hangUp();
      }
    },
    async answer(signer, { id, details }, decision, number) {
      const claims = {
        aud: issuer,
        challenge: id,
        decision,
        ...(decision === 'approve' && number !== undefined ? { number } : {}),
        shown: await sha256(details),
      };
      const answer = await signJws(signer.key, { typ: 'countersign-approval+jwt', kid: signer.id }, claims);
      const path = `/device/v1/challenges/${encodeURIComponent(id)}/answer`;
      return (await call<{ outcome: AnswerOutcome }>(signer, path, { answer })).outcome;
    },
  };
}
