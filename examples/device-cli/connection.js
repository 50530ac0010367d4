// @ts-check
import { DeviceError, isProtocolCode } from './errors.js';
import { EventReader } from './event-reader.js';
import { signRequest } from './signatures.js';

const TIMEOUT_MS = 10_000;
/** Events, or signs of life, come more often. */
const SILENCE_MS = 45_000;
const NONCE = 'device-nonce';

/**
 * The signed requests of one account: nonces, the server's clock, errors.
 *
 * @typedef {object} Signer whose requests they are
 * @property {string} issuer
 * @property {import('jose').CryptoKey} key
 * @property {() => string} kid the device id
 */
export class Connection {
  #signer;
  #fetch;
  #now;
  /** @type {string | undefined} */
  #nonce;

  /**
   * @param {Signer} signer
   * @param {{ fetch: typeof globalThis.fetch, now: () => number, offsetMs?: number }} surroundings
   */
  constructor(signer, { fetch, now, offsetMs = 0 }) {
    this.#signer = signer;
    this.#fetch = fetch;
    this.#now = now;
    /** The server's time minus this machine's, as of the latest answer. */
    this.offsetMs = offsetMs;
  }

  /**
   * @param {string} path from `/device/v1` on
   * @param {object} [content]
   * @param {string} [kid] in the pairing request the thumbprint
   * @returns {Promise<any>} the answer's body
   * @throws DeviceError
   */
  async post(path, content = {}, kid = this.#signer.kid()) {
    return this.#repeated(async () =>
      this.#read(await this.#send(path, content, kid, AbortSignal.timeout(TIMEOUT_MS))),
    );
  }

  /**
   * The names of the events of an answer that stays open, as they come; the first is an empty one, when its first bytes are there.
   *
   * @param {string} path from `/device/v1` on
   * @throws DeviceError
   */
  async *events(path) {
    const silence = new AbortController();
    const silent = () => silence.abort();
    let watchdog = setTimeout(silent, TIMEOUT_MS);
    try {
      const response = await this.#repeated(async () => {
        const answer = await this.#send(path, {}, this.#signer.kid(), silence.signal);
        return answer.status === 200 ? answer : this.#read(answer);
      });
      const events = new EventReader();
      const decoder = new TextDecoder();
      let isFirst = true;
      for await (const chunk of response.body ?? []) {
        clearTimeout(watchdog);
        watchdog = setTimeout(silent, SILENCE_MS);
        if (isFirst) yield '';
        isFirst = false;
        yield* events.read(decoder.decode(chunk, { stream: true }));
      }
    } catch (cause) {
      throw cause instanceof DeviceError ? cause : new DeviceError('NO_CONNECTION', 'broken off', { cause });
    } finally {
      clearTimeout(watchdog);
      // Whoever has heard enough hangs up.
      silent();
    }
  }

  /** @template Result @param {() => Promise<Result>} send @returns {Promise<Result>} */
  async #repeated(send) {
    try {
      return await send();
    } catch (error) {
      // One repetition: a server that goes on asking for the nonce that it has just given will not stop.
      if (!(error instanceof DeviceError && error.code === 'USE_NONCE')) throw error;
      return await send();
    }
  }

  /** @param {string} path @param {object} content @param {string} kid @param {AbortSignal} signal */
  async #send(path, content, kid, signal) {
    const { issuer, key } = this.#signer;
    const url = `${issuer}/device/v1${path}`;
    const body = JSON.stringify(content);
    const signature = await signRequest(key, kid, { issuer, url, body, nonce: this.#nonce });
    const headers = { 'content-type': 'application/json', 'device-signature': signature };
    const response = await reached(this.#fetch(url, { method: 'POST', headers, body, redirect: 'error', signal }));
    this.#nonce = response.headers.get(NONCE) ?? this.#nonce;
    return response;
  }

  /** @param {Response} response @returns {Promise<any>} */
  async #read(response) {
    const answer = asObject(await reached(response.text()));
    const serverTime = Date.parse(String(answer?.serverTime));
    if (Number.isFinite(serverTime)) this.offsetMs = serverTime - this.#now();
    if (response.status === 200 && answer) return answer;
    throw problem(response, answer);
  }
}

/** @template Result @param {Promise<Result>} answer @returns {Promise<Result>} */
async function reached(answer) {
  try {
    return await answer;
  } catch (cause) {
    throw new DeviceError('NO_CONNECTION', 'no answer', { cause });
  }
}

/** @param {string} text @returns {Record<string, any> | undefined} */
function asObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @param {{ status: number, headers: Headers }} response @param {Record<string, any> | undefined} answer */
function problem({ status, headers }, answer) {
  const code = answer?.code;
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  return new DeviceError(isProtocolCode(code) ? code : 'UNEXPECTED', `${status} ${code ?? 'without a code'}`, {
    status,
    ...(Number.isInteger(answer?.triesLeft) ? { triesLeft: answer?.triesLeft } : {}),
    ...(Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {}),
  });
}
