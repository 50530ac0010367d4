// @ts-check
import { DeviceError, isProtocolCode } from './errors.js';
import { signRequest } from './signatures.js';

const TIMEOUT_MS = 10_000;
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
    const url = `${this.#signer.issuer}/device/v1${path}`;
    const body = JSON.stringify(content);
    try {
      return await this.#send(url, body, kid);
    } catch (error) {
      // One repetition: a server that goes on asking for the nonce that it has just given will not stop.
      if (!(error instanceof DeviceError && error.code === 'USE_NONCE')) throw error;
      return await this.#send(url, body, kid);
    }
  }

  /** @param {string} url @param {string} body @param {string} kid */
  async #send(url, body, kid) {
    const { issuer, key } = this.#signer;
    const signature = await signRequest(key, kid, { issuer, url, body, nonce: this.#nonce });
    const response = await this.#exchange(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'device-signature': signature },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    this.#nonce = response.headers.get(NONCE) ?? this.#nonce;
    const answer = asObject(response.text);
    const serverTime = Date.parse(String(answer?.serverTime));
    if (Number.isFinite(serverTime)) this.offsetMs = serverTime - this.#now();
    if (response.status === 200 && answer) return answer;
    throw problem(response, answer);
  }

  /** @param {string} url @param {RequestInit} init */
  async #exchange(url, init) {
    try {
      const answer = await this.#fetch(url, init);
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    } catch (cause) {
      throw new DeviceError('NO_CONNECTION', 'no answer', { cause });
    }
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
