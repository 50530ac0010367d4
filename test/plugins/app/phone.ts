import { createHash, randomBytes } from 'node:crypto';
import { CompactSign, type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Engine } from '../../../src/factors/index.js';

export interface PhoneRequest {
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface PhoneAnswer {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what the tests look at
  body: any;
}

/** How requests of a phone get to a server. */
export type Send = (request: PhoneRequest) => Promise<PhoneAnswer>;

export const ISSUER = 'http://localhost';

/** Straight to a node of `twoNodes`. */
export const toEngine =
  (engine: Engine, from: { ip?: string } = { ip: '192.0.2.7' }, verb: 'GET' | 'POST' = 'POST'): Send =>
  async ({ path, headers, body }) => {
    const api = engine.apis().find((one) => one.path === '/device/v1');
    if (!api) throw new Error('no device API');
    const url = `${ISSUER}/device/v1${path}`;
    const answer = await api.call({ verb, path, url, headers, body, requestId: 'request-1', ...from });
    return { status: answer.status, headers: { ...answer.headers }, body: answer.body };
  };

/** Over HTTP. */
export const overHttp =
  (issuer: string): Send =>
  async ({ path, headers, body }) => {
    const response = await fetch(`${issuer}/device/v1${path}`, { method: 'POST', headers, body });
    const nonce = response.headers.get('device-nonce');
    return {
      status: response.status,
      headers: { ...Object.fromEntries(response.headers), ...(nonce ? { 'Device-Nonce': nonce } : {}) },
      body: await response.json(),
    };
  };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** What a request says instead of what it should; `undefined` leaves it out. */
export interface Deviation {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  /** Signs instead of the phone's own key. */
  privateKey?: CryptoKey;
  /** What is sent in place of what was signed. */
  sentBody?: string;
  sentPath?: string;
  headers?: Record<string, string>;
  /** Not repeated with a nonce when asked to. */
  once?: boolean;
}

/** A phone, written from `docs/app-protocol.md`. */
export class Phone {
  nonce: string | undefined;
  deviceId = '';
  /** Of the last request, as it was sent. */
  lastRequest: PhoneRequest | undefined;

  private constructor(
    public send: Send,
    readonly issuer: string,
    readonly privateKey: CryptoKey,
    readonly jwk: JWK,
    readonly thumbprint: string,
  ) {}

  static async make(send: Send, issuer = ISSUER): Promise<Phone> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const { kty, crv, x, y } = await exportJWK(publicKey);
    const jwk = { kty, crv, x, y } as JWK;
    return new Phone(send, issuer, privateKey, jwk, await calculateJwkThumbprint(jwk));
  }

  /** A compact JWS by this phone's key; `undefined` in `header` leaves a member out. */
  async sign(typ: string, claims: Record<string, unknown>, change: Deviation = {}): Promise<string> {
    const header = { alg: 'ES256', typ, kid: this.deviceId || this.thumbprint, ...change.header };
    const { kid, ...rest } = header;
    return new CompactSign(new TextEncoder().encode(JSON.stringify({ ...claims, ...change.claims })))
      .setProtectedHeader({ ...rest, ...(kid === undefined ? {} : { kid }) } as never)
      .sign(change.privateKey ?? this.privateKey);
  }

  async post(path: string, body: object = {}, change: Deviation = {}): Promise<PhoneAnswer> {
    const text = JSON.stringify(body);
    const claims = {
      aud: this.issuer,
      htm: 'POST',
      htu: `${this.issuer}/device/v1${path}`,
      bh: sha256(text),
      nonce: this.nonce,
      jti: randomBytes(12).toString('base64url'),
    };
    const answer = await this.repeat({
      path: change.sentPath ?? path,
      headers: {
        'content-type': 'application/json',
        'device-signature': await this.sign('countersign-request+jwt', claims, change),
        ...change.headers,
      },
      body: change.sentBody ?? text,
    });
    if (answer.body.code !== 'USE_NONCE' || change.once) return answer;
    return this.post(path, body, { ...change, once: true });
  }

  /** Listens, over HTTP. @throws Error when it may not */
  async listen(): Promise<Listening> {
    let response: Response | undefined;
    const { send } = this;
    this.send = async ({ path, headers, body }) => {
      response = await fetch(`${this.issuer}/device/v1${path}`, { method: 'POST', headers, body });
      const nonce = response.headers.get('device-nonce') ?? '';
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      return {
        status: response.status,
        headers: { 'Device-Nonce': nonce },
        body: isStream ? {} : await response.json(),
      };
    };
    try {
      const { status } = await this.post('/watch');
      if (status !== 200 || !response) throw new Error(`may not listen: ${status}`);
      return new Listening(response);
    } finally {
      this.send = send;
    }
  }

  /** Sends a request as it is. */
  async repeat(request: PhoneRequest): Promise<PhoneAnswer> {
    this.lastRequest = request;
    const answer = await this.send(request);
    this.nonce = answer.headers['Device-Nonce'] ?? this.nonce;
    return answer;
  }

  /** Claims a pairing; keeps the device id it is given. */
  async pair(ticket: object, more: { model?: string; platform?: string } = {}, change: Deviation = {}) {
    const body = { ...ticket, key: this.jwk, model: 'Pixel 9', platform: 'android', ...more };
    const kid = { kid: this.thumbprint, ...change.header };
    const answer = await this.post('/pairing', body, { ...change, header: kid });
    if (answer.status === 200) this.deviceId = answer.body.deviceId;
    return answer;
  }

  /** What the phone shows while it is pending. */
  digits(): string {
    const digest = createHash('sha256').update(`countersign-pairing:${this.deviceId}:${this.thumbprint}`).digest();
    return String(digest.readBigUInt64BE(0) % 1_000_000n).padStart(6, '0');
  }

  /** Six digits that it does not show. */
  wrongDigits(): string {
    return this.digits() === '123456' ? '654321' : '123456';
  }
}

/** An answer that stays open, and what has come of it. */
export class Listening {
  #text = '';
  #waiting: (() => void)[] = [];
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Nothing more comes. */
  readonly isOver: Promise<void>;

  constructor(readonly response: Response) {
    this.#reader = response.body?.getReader();
    this.isOver = this.#read();
  }

  readonly text = (): string => this.#text;

  async leave(): Promise<void> {
    await this.#reader?.cancel();
    await this.isOver;
  }

  /** Once this has come. @throws Error when the answer ends without it */
  readonly heard = async (what: string): Promise<void> => {
    let isOver = false;
    this.isOver.then(() => {
      isOver = true;
    });
    while (!this.#text.includes(what)) {
      if (isOver) throw new Error(`never heard ${what}, but ${this.#text}`);
      await Promise.race([this.isOver, new Promise<void>((resolve) => this.#waiting.push(resolve))]);
    }
  };

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = (await this.#reader?.read()) ?? { done: true };
      if (done) return;
      this.#text += decoder.decode(value, { stream: true });
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}
