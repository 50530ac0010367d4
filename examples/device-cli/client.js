// @ts-check
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { Connection } from './connection.js';
import { pairingDigits } from './digest.js';
import { DeviceError } from './errors.js';
import { numberFrom } from './links.js';
import { oneTimeCode } from './one-time-code.js';
import { signAnswer } from './signatures.js';

export { DeviceError } from './errors.js';
export { issuerFrom, pairingFrom } from './links.js';

/** A person is warned of a clock that is further off than this. */
const CLOCK_TOLERANCE_MS = 20_000;

/**
 * One account as it is kept: with its private key, so wherever that may be kept.
 *
 * @typedef {object} StoredAccount
 * @property {string} issuer
 * @property {import('jose').JWK} key
 * @property {string} [deviceId]
 * @property {string} [issuerName]
 * @property {{ login: string, name: string }} [account]
 * @property {import('./one-time-code.js').OfflineValues} [offline]
 * @property {number} offsetMs the server's time minus the phone's
 *
 * @typedef {object} Challenge a sign-in that waits for an answer
 * @property {string} id
 * @property {string} details as received: what is answered for is this very text
 * @property {number} digits how many the number on the page has
 * @property {string} createdAt
 * @property {string} expiresAt
 *
 * @typedef {{ application?: string, browser?: string, ip?: string, place?: string, at: string }} Details
 *
 * @typedef {object} Paired
 * @property {string} digits to be typed on the computer
 * @property {string} expiresAt when it is too late for that
 *
 * @typedef {object} DeviceState
 * @property {'pending' | 'active'} state
 * @property {string} label
 * @property {{ publicKey: string | null, state: 'none' | 'working' | 'failing' }} push
 *
 * @typedef {{ code: string } | { login: string, typedCode: string }} PairingCode scanned, or typed
 * @typedef {'approve' | 'not_now' | 'not_me'} Decision
 * @typedef {'approved' | 'postponed' | 'denied'} AnswerOutcome
 *
 * @typedef {object} Surroundings
 * @property {typeof fetch} [fetch]
 * @property {() => number} [now] this machine's time, in milliseconds since 1970
 */

/** A phone's side of ONE account; a phone with several has one of these for each. Everything it sends throws DeviceError. */
export class DeviceClient {
  #stored;
  #key;
  #thumbprint;
  #connection;
  #now;

  /**
   * @param {StoredAccount} stored
   * @param {import('jose').CryptoKey} key
   * @param {string} thumbprint
   * @param {Surroundings} surroundings
   */
  constructor(stored, key, thumbprint, { fetch = globalThis.fetch, now = Date.now }) {
    this.#stored = stored;
    this.#key = key;
    this.#thumbprint = thumbprint;
    this.#now = now;
    const signer = { issuer: stored.issuer, key, kid: () => this.#pairedAs() };
    this.#connection = new Connection(signer, { fetch, now, offsetMs: stored.offsetMs });
  }

  /**
   * A new account on this phone, with a key of its own; nothing is sent yet.
   *
   * @param {string} issuer without a slash at its end
   * @param {Surroundings} [surroundings]
   */
  static async create(issuer, surroundings = {}) {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    return DeviceClient.restore({ issuer, key: await exportJWK(privateKey), offsetMs: 0 }, surroundings);
  }

  /** @param {StoredAccount} stored what `toStored` returned @param {Surroundings} [surroundings] */
  static async restore(stored, surroundings = {}) {
    const key = /** @type {import('jose').CryptoKey} */ (await importJWK(stored.key, 'ES256'));
    return new DeviceClient(stored, key, await calculateJwkThumbprint(stored.key), surroundings);
  }

  /** @returns {StoredAccount} */
  toStored() {
    return { ...this.#stored, offsetMs: this.#connection.offsetMs };
  }

  get issuer() {
    return this.#stored.issuer;
  }

  get deviceId() {
    return this.#stored.deviceId;
  }

  /** As the server calls itself; its address while it has not said. */
  get issuerName() {
    return this.#stored.issuerName ?? this.#stored.issuer;
  }

  get account() {
    return this.#stored.account;
  }

  /** True when the person should be told that the clock of this machine is wrong. */
  get isClockOff() {
    return Math.abs(this.#connection.offsetMs) > CLOCK_TOLERANCE_MS;
  }

  /**
   * May be repeated when nothing came back: the key is the same.
   *
   * @param {PairingCode} code
   * @param {{ model?: string, platform?: 'android' | 'ios' | 'web' | 'other' }} [phone]
   * @returns {Promise<Paired>}
   */
  async pair(code, { model = 'device-cli', platform = 'other' } = {}) {
    const { kty, crv, x, y } = this.#stored.key;
    const content = { ...code, key: { kty, crv, x, y }, model, platform };
    const answer = await this.#connection.post('/pairing', content, this.#thumbprint);
    const { deviceId, issuerName, account, offline, expiresAt } = answer;
    this.#stored = { ...this.#stored, deviceId, issuerName, account, offline };
    return { digits: pairingDigits(deviceId, this.#thumbprint), expiresAt };
  }

  /** @returns {Promise<DeviceState>} */
  async status() {
    const { state, label, push, issuerName, account } = await this.#connection.post('/device');
    this.#stored = { ...this.#stored, issuerName, account };
    return { state, label, push };
  }

  /** What waits for an answer, newest last. @returns {Promise<Challenge[]>} */
  async list() {
    return (await this.#connection.post('/challenges')).challenges;
  }

  /**
   * Says when to ask for the list: at once, and whenever the server says so; over when the server ends it. `revoked`: this phone is not
   * trusted any more.
   *
   * @returns {AsyncGenerator<'changed' | 'revoked'>}
   */
  async *watch() {
    for await (const event of this.#connection.events('/watch')) {
      // The first bytes: what happened before nobody will tell.
      if (event === '' || event === 'changed') yield 'changed';
      if (event === 'revoked') yield 'revoked';
    }
  }

  /**
   * @param {Pick<Challenge, 'id' | 'details' | 'digits'>} challenge as the person has seen it
   * @param {Decision} decision
   * @param {string} [typed] with `approve`: the number on the page, or the content of its code
   * @returns {Promise<AnswerOutcome>}
   */
  async answer({ id, details, digits }, decision, typed) {
    if ((decision === 'approve') !== (typed !== undefined)) {
      throw new DeviceError('NOT_LIKE_THAT', 'a number belongs to an approval, and to nothing else');
    }
    const number = typed === undefined ? undefined : numberFrom(typed, digits);
    const { issuer } = this.#stored;
    const answer = await signAnswer(this.#key, this.#pairedAs(), { issuer, challenge: id, decision, details, number });
    return (await this.#connection.post(`/challenges/${encodeURIComponent(id)}/answer`, { answer })).outcome;
  }

  /** Ends the server's trust in this phone. */
  async remove() {
    await this.#connection.post('/remove');
  }

  /** The verification code of this moment; no network is needed. */
  offlineCode() {
    const { offline } = this.#stored;
    if (!offline) throw new DeviceError('NOT_LIKE_THAT', 'not paired');
    return oneTimeCode(offline, this.#now() + this.#connection.offsetMs);
  }

  /** @returns {string} the device id */
  #pairedAs() {
    const { deviceId } = this.#stored;
    if (deviceId === undefined) throw new DeviceError('NOT_LIKE_THAT', 'not paired');
    return deviceId;
  }
}

/**
 * What a challenge is about, to be shown: all of it.
 *
 * @param {Pick<Challenge, 'details'>} challenge
 * @returns {Details}
 */
export const detailsOf = ({ details }) => JSON.parse(details);
