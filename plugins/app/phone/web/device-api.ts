import { randomText, sha256 } from './base64url.js';
import { type DeviceKey, signJws } from './device-key.js';
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

/** Every request of the protocol, signed; each @throws Refusal. */
export interface DeviceApi {
  pair(key: DeviceKey, request: PairingOffer): Promise<Paired>;
  state(signer: Signer): Promise<DeviceState>;
  remove(signer: Signer): Promise<void>;
  /** Where to wake this phone. */
  push(signer: Signer, subscription: PushSubscriptionJSON): Promise<DeviceState['push']['state']>;
  challenges(signer: Signer): Promise<Challenge[]>;
  /** @param number with `approve`, the digits as typed */
  answer(signer: Signer, challenge: Challenge, decision: Decision, number?: string): Promise<AnswerOutcome>;
}

const TIMEOUT_MS = 15_000;
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

interface Answer {
  code?: string;
  serverTime?: string;
  triesLeft?: number;
}

export function createDeviceApi({ issuer, fetch, now, onClock }: DeviceApiOptions): DeviceApi {
  let nonce: string | undefined;

  async function send(url: string, body: string, signature: string): Promise<{ response: Response; answer: Answer }> {
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
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = (await response.json()) as Answer;
      const at = Date.parse(answer.serverTime ?? '');
      // Half the way there and back: as near as one exchange can tell.
      if (Number.isFinite(at)) onClock(Math.round(at - (sentAt + now()) / 2));
      return { response, answer };
    } catch {
      throw new Refusal('OFFLINE');
    }
  }

  async function call<Result>({ id, key }: Signer, path: string, content: object): Promise<Result> {
    const url = issuer + path;
    const body = JSON.stringify(content);
    const bh = await sha256(body);
    for (let tries = 1; ; tries += 1) {
      const claims = { aud: issuer, htm: 'POST', htu: url, bh, ...(nonce ? { nonce } : {}), jti: randomText(16) };
      const signature = await signJws(key, { typ: 'countersign-request+jwt', kid: id }, claims);
      const { response, answer } = await send(url, body, signature);
      nonce = response.headers.get('Device-Nonce') ?? nonce;
      if (response.ok) return answer as Result;
      const code = (CODES.has(answer.code ?? '') ? answer.code : 'OFFLINE') as RefusalCode;
      if (code === 'USE_NONCE' && tries < TRIES) continue;
      const { triesLeft } = answer;
      const retryAfter = Number(response.headers.get('Retry-After'));
      throw new Refusal(code === 'USE_NONCE' ? 'OFFLINE' : code, {
        ...(triesLeft === undefined ? {} : { triesLeft }),
        ...(retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
      });
    }
  }

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
