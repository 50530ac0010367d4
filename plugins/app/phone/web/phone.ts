import type { AccountStore, PhoneAccount } from './account-store.js';
import { fromBase64url } from './base64url.js';
import { createDeviceApi, type DeviceApi, type Signer } from './device-api.js';
import type { DeviceKey } from './device-key.js';
import { Listening } from './listening.js';
import { importCodeKey } from './one-time-code.js';
import {
  type AnswerOutcome,
  type Challenge,
  type Decision,
  type DeviceState,
  type PairingOffer,
  Refusal,
} from './protocol.js';

export interface PhoneOptions {
  /** Without a slash at its end. */
  issuer: string;
  store: AccountStore;
  fetch: typeof fetch;
  /** Milliseconds since the epoch, of this phone. */
  now(): number;
  /** Something that is shown may have changed. */
  onChange(): void;
}

const signerOf = ({ id, key }: PhoneAccount): Signer => ({ id, key });
/** A clock that is wrong by less is nobody's concern: the last second of a contact is not worth a write. */
const OFFSET_STEP_MS = 500;

/** The accounts on this phone, and what the server says about them. */
export class Phone {
  accounts: PhoneAccount[] = [];
  /** Sign-ins that wait, by account. */
  readonly waiting = new Map<string, Challenge[]>();
  /** The server's time minus the phone's, in milliseconds; undefined before the first contact. */
  offsetMs: number | undefined;
  isOffline = false;
  /** Has looked once since the app was opened. */
  hasLooked = false;
  readonly issuer: string;
  readonly #api: DeviceApi;
  readonly #store: AccountStore;
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #listening: Listening;
  /** Lists on their way, and accounts whose list must be asked for once more, or was not to be had. */
  readonly #looking = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  readonly #missed = new Set<string>();
  #notBefore = 0;
  /** Answered here: a list that was on its way meanwhile must not bring them back. */
  readonly #answered = new Set<string>();

  private constructor({ issuer, store, fetch, now, onChange }: PhoneOptions) {
    this.issuer = issuer;
    this.#store = store;
    this.#now = now;
    this.#onChange = onChange;
    this.#api = createDeviceApi({ issuer, fetch, now, onClock: (offsetMs) => this.#noteClock(offsetMs) });
    this.#listening = new Listening({
      watch: async (id, ears) => {
        const account = this.find(id);
        if (account) await this.#api.watch(signerOf(account), ears);
      },
      heard: (id, event) => this.#hear(id, event),
    });
  }

  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    phone.accounts = await options.store.all();
    phone.offsetMs = await options.store.clockOffset();
    return phone;
  }

  /** The server's time, in milliseconds since the epoch, as of the last contact. */
  serverNow(): number {
    return this.#now() + (this.offsetMs ?? 0);
  }

  keepLanguage(language: string): Promise<void> {
    return this.#store.keepLanguage(language);
  }

  find(id: string): PhoneAccount | undefined {
    return this.accounts.find((account) => account.id === id);
  }

  /** @throws Refusal */
  async pair(key: DeviceKey, request: PairingOffer): Promise<PhoneAccount> {
    const { deviceId, state, issuerName, account, offline, expiresAt } = await this.#ask(() =>
      this.#api.pair(key, request),
    );
    const { secret, algorithm, digits, periodSeconds } = offline;
    const made: PhoneAccount = {
      id: deviceId,
      key,
      code: { key: await importCodeKey(fromBase64url(secret), algorithm), digits, periodSeconds },
      ...account,
      issuerName,
      state,
      expiresAt,
    };
    await this.#keep(made);
    return made;
  }

  /** Asks the server about every account, those included that it did not know the last time. */
  async refresh(): Promise<void> {
    await Promise.all(this.accounts.map((account) => this.#refreshOne(account)));
    this.#onChange();
  }

  /** Hears of changes from now on, until it is told to rest. */
  listen(): void {
    const active = this.accounts.filter(({ state, isRefused }) => state === 'active' && !isRefused);
    this.#listening.follow(active.map(({ id }) => id));
  }

  rest(): void {
    this.#listening.follow([]);
  }

  /** Digits of this phone are being typed on a computer. */
  get isPairing(): boolean {
    return this.accounts.some(({ state }) => state === 'pending');
  }

  /** Asks for what it would not hear of: sign-ins of active accounts, the computer's digits for pending ones. */
  async look(): Promise<void> {
    if (this.#now() < this.#notBefore) return;
    await Promise.all(
      this.accounts
        .filter(({ isRefused }) => !isRefused)
        .map((account) => {
          if (account.state === 'pending') return this.#refreshOne(account);
          const isHeard = this.#listening.covers(account.id) && !this.#missed.has(account.id);
          return isHeard ? this.#looking.get(account.id) : this.#lookOne(account);
        }),
    );
    this.hasLooked ||= !this.isOffline;
    this.#onChange();
  }

  /** @param number with `approve`, the digits as typed. @throws Refusal */
  async answer(
    account: PhoneAccount,
    challenge: Challenge,
    decision: Decision,
    number?: string,
  ): Promise<AnswerOutcome> {
    try {
      const outcome = await this.#ask(() => this.#api.answer(signerOf(account), challenge, decision, number));
      this.#dismiss(account, challenge);
      return outcome;
    } catch (error) {
      if (error instanceof Refusal && error.code === 'REFUSED') this.#dismiss(account, challenge);
      if (error instanceof Refusal && error.code === 'DEVICE_REFUSED') await this.#refreshOne(account);
      throw error;
    }
  }

  /** Ends the trust in this phone, here and there. @throws Refusal when the server was not reached: nothing has changed */
  async remove(account: PhoneAccount): Promise<void> {
    try {
      await this.#ask(() => this.#api.remove(signerOf(account)));
    } catch (error) {
      // Whom the server does not know any more, it need not forget.
      if (!(error instanceof Refusal && error.code === 'DEVICE_REFUSED')) throw error;
    }
    await this.forget(account);
  }

  /** Accounts of which the server does not know where to wake this phone. */
  get unwoken(): PhoneAccount[] {
    return this.accounts.filter(
      ({ state, isRefused, push }) => state === 'active' && !isRefused && push?.publicKey && push.state !== 'working',
    );
  }

  /** Tells the server where to wake this phone; what fails is tried again when the app is opened. */
  async wakeBy(
    subscribe: (publicKey: string, isAnew: boolean) => Promise<PushSubscriptionJSON | undefined>,
  ): Promise<void> {
    const accounts = this.unwoken;
    const publicKey = accounts[0]?.push?.publicKey;
    if (!publicKey) return;
    const subscription = await subscribe(
      publicKey,
      accounts.some(({ push }) => push?.state === 'failing'),
    );
    if (!subscription) return;
    for (const account of accounts) {
      try {
        const state = await this.#ask(() => this.#api.push(signerOf(account), subscription));
        const now = this.find(account.id);
        if (now) await this.#keep({ ...now, push: { publicKey, state } });
      } catch (error) {
        this.#passOver(error);
      }
    }
    this.#onChange();
  }

  /** Removes an account here alone. */
  async forget({ id }: PhoneAccount): Promise<void> {
    await this.#store.remove(id);
    this.accounts = this.accounts.filter((account) => account.id !== id);
    this.waiting.delete(id);
    this.#onChange();
  }

  async #keep(account: PhoneAccount): Promise<void> {
    await this.#store.put(account);
    const others = this.accounts.filter(({ id }) => id !== account.id);
    this.accounts = [...others, account].sort((a, b) => a.login.localeCompare(b.login));
  }

  #dismiss({ id }: PhoneAccount, challenge: Challenge): void {
    this.#answered.add(challenge.id);
    this.#noteWaiting(id, this.waiting.get(id) ?? []);
  }

  #noteWaiting(id: string, challenges: Challenge[]): void {
    this.waiting.set(
      id,
      challenges.filter((challenge) => !this.#answered.has(challenge.id)),
    );
  }

  async #hear(id: string, event: 'begun' | 'changed' | 'revoked'): Promise<void> {
    const account = this.find(id);
    if (!account) return;
    await (event === 'revoked' ? this.#refreshOne(account) : this.#lookOne(account));
    this.#onChange();
  }

  /** One list of an account at a time: of two, the older might come last and stay. */
  #lookOne(account: PhoneAccount): Promise<void> {
    const { id } = account;
    const running = this.#looking.get(id);
    if (running) {
      this.#again.add(id);
      return running;
    }
    const looking = (async () => {
      do {
        this.#again.delete(id);
        await this.#list(account);
      } while (this.#again.has(id));
    })().finally(() => this.#looking.delete(id));
    this.#looking.set(id, looking);
    return looking;
  }

  async #list(account: PhoneAccount): Promise<void> {
    try {
      const challenges = await this.#ask(() => this.#api.challenges(signerOf(account)));
      this.#missed.delete(account.id);
      this.#noteWaiting(account.id, challenges);
    } catch (error) {
      this.#missed.add(account.id);
      if (error instanceof Refusal && error.code === 'DEVICE_REFUSED') await this.#refreshOne(account);
      else this.#passOver(error);
    }
  }

  async #refreshOne(account: PhoneAccount): Promise<void> {
    try {
      const state = await this.#stateOf(account);
      if (state) await this.#noteState(account, state);
      else await this.#noteRefused(account);
    } catch (error) {
      this.#passOver(error);
    }
  }

  /** Undefined: refused twice in a row, for once may be an accident. */
  async #stateOf(account: PhoneAccount): Promise<DeviceState | undefined> {
    for (let tries = 0; tries < 2; tries += 1) {
      try {
        return await this.#ask(() => this.#api.state(signerOf(account)));
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'DEVICE_REFUSED')) throw error;
      }
    }
    return undefined;
  }

  async #noteState(
    account: PhoneAccount,
    { state, label, issuerName, push, account: { login, name } }: DeviceState,
  ): Promise<void> {
    const { isRefused, ...known } = account;
    const news = { ...known, state, label, issuerName, push, login, name };
    if (!isRefused && JSON.stringify(news) === JSON.stringify(account)) return;
    // What was removed on another screen meanwhile stays removed.
    if (!this.find(account.id)) return;
    await this.#keep(news);
    if (account.state === 'active' || state !== 'active') return;
    for (const old of this.accounts) if (old.isRefused && old.login === login) await this.forget(old);
  }

  /** What was never trusted leaves no trace. */
  async #noteRefused(account: PhoneAccount): Promise<void> {
    if (account.state === 'pending') return this.forget(account);
    this.waiting.delete(account.id);
    if (this.find(account.id) && !account.isRefused) await this.#keep({ ...account, isRefused: true });
  }

  /** The next look will tell. */
  #passOver(error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'TOO_MANY') this.#notBefore = this.#now() + (error.facts.retryAfterSeconds ?? 10) * 1000;
  }

  async #ask<Result>(call: () => Promise<Result>): Promise<Result> {
    try {
      const result = await call();
      this.isOffline = false;
      return result;
    } catch (error) {
      if (error instanceof Refusal) this.isOffline = error.code === 'OFFLINE';
      throw error;
    }
  }

  #noteClock(offsetMs: number): void {
    const before = this.offsetMs;
    this.offsetMs = offsetMs;
    if (before !== undefined && Math.abs(before - offsetMs) < OFFSET_STEP_MS) return;
    // Kept for times without a network; what cannot be written is known all the same until the app closes.
    this.#store.keepClockOffset(offsetMs).catch(() => undefined);
  }
}
