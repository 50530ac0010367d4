/** The contract of a second-factor method: one plugin folder implements it, the engine calls it, nothing else knows it. */
import type { Account } from '../accounts/contract.js';
import type { Audit, RequestOrigin } from '../audit/contract.js';
import type { Announcer } from '../notifications/announcements.js';
import type { Clock } from '../platform/clock.js';
import type { Database, EnsureIndexes, Unit } from '../platform/database.js';
import type { Finding } from '../platform/finding.js';
import type { Logger } from '../platform/logger.js';
import type { PostOutside } from '../platform/post-outside.js';
import type { Random } from '../platform/random.js';
import type { SealedPlace } from '../platform/sealed-places.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { SlowDerive } from '../platform/slow-hash.js';
import type { Level } from '../policy/levels.js';
import type { Throttle } from '../throttle/contract.js';
import type { Adoption } from './adoption-contract.js';
import type { Callback } from './callback.js';
import type { DeliveryControl } from './delivery.js';
import type { Guesses } from './guesses.js';
import type { MethodApi, MethodSite } from './method-api.js';
import type { MethodKeys } from './method-keys.js';

export type { Brand } from '../http/assets.js';
export { inSeconds } from '../platform/clock.js';
export { isDuplicateKey } from '../platform/database.js';
export { ipSubject, networkSubject } from '../platform/ip-subject.js';
export { qrSvg } from '../platform/qr-code.js';
export { calendarDay } from '../policy/index.js';
export type { Limit, Reservation, Settlement, ThrottleRule } from '../throttle/contract.js';
export type * from './callback.js';
export type * from './delivery.js';
export type * from './guesses.js';
export { LABEL_MAX_LENGTH, normaliseLabel, unusedLabel } from './label.js';
export type * from './method-api.js';
export type * from './method-keys.js';
export { sealedInFactors } from './sealed.js';
export { summaryOf } from './summary.js';

export type FactorAccount = Pick<Account, 'id' | 'login' | 'name' | 'email' | 'locale'>;

/** Who sets a factor up, and in which browser: what one browser was shown, another can neither see nor confirm. */
export type Enrollee = FactorAccount & {
  browser: string;
  ip?: string;
  /** The active factor of the same method whose place the new one takes: to be handed on to `FactorStore.activate`. */
  replaces?: { id: string };
};

/**
 * `primary` can be set up first; `fallback` only beside a primary; `reserve` as well, and it is used up: what is saved for the day
 * on which nothing else is at hand.
 */
export type FactorKind = 'primary' | 'fallback' | 'reserve';

/** One enrolled means of the second step, as stored in `factors`. `data` belongs to the plugin; secrets in it are sealed. */
export interface FactorRecord<Data = Record<string, unknown>> {
  _id: string;
  accountId: string;
  method: string;
  state: 'pending' | 'active';
  /** Of a pending one: the browser that it was shown to. */
  browser?: string;
  label: string;
  /** What no two accounts may hold at the same time, as a keyed hash: unique among the active ones of a method. */
  exclusive?: string;
  /** The device that brought it along: it comes and goes with it, and is no row of its own. */
  companionOf?: { method: string; id: string };
  createdAt: Date;
  activatedAt?: Date;
  lastUsedAt?: Date;
  /** Pending ones end by themselves; compared in queries. */
  expiresAt?: Date;
  data: Data;
}

/** The engine's and the pages' view of a factor: masked, no secret. */
export interface FactorSummary {
  id: string;
  method: string;
  label: string;
  /** The level a proof of it gives at most. */
  level: Level;
  createdAt: Date;
  lastUsedAt?: Date;
  /** Set up, but not accepted before then. */
  usableFrom?: Date;
  /** What a list shows beneath the name: catalogue parameters such as `{ left: 7 }`. */
  facts: Record<string, string | number>;
}

/** What the browser sends as proof: the fields of the plugin's form. */
export type Evidence = Readonly<Record<string, string>>;

/** A page to show. `state` stays on the server, with the challenge. */
export interface Step {
  state?: Record<string, unknown>;
  /** `<method>/<page>`: `plugins/<method>/views/<page>.pug`. */
  view: string;
  locals: Record<string, unknown>;
}

/** Why evidence was refused: for the log and the audit; the person reads one message for all of them. */
export type RejectionCode = 'malformed' | 'wrong' | 'expired' | 'used' | 'not_enrolled';

export type Outcome =
  | {
      status: 'verified';
      factorId: string;
      level: Level /** RFC 8176 values of this factor alone, without `pwd` and `mfa` */;
      amr: string[];
      notices?: FactorNotice[];
    }
  | { status: 'pending' }
  | { status: 'rejected'; code: RejectionCode };

/** Something the employee must hear on another channel. */
export interface FactorNotice {
  notice: 'recovery_code_used';
  params: Record<string, string | number>;
}

export type EnrolmentOutcome =
  | { status: 'enrolled'; factorId: string; label: string; level: Level; amr: string[] }
  /** Right so far: the page of `begin` asks for what comes next. Costs no attempt. */
  | { status: 'continued' }
  /** Not possible, and not a guess: the page says why. Costs no attempt. */
  | Refused
  | { status: 'rejected'; code: RejectionCode };

/** Why something cannot be done now. */
export interface Refused {
  status: 'refused';
  /** A word of the method's own list: the page has a sentence for each. */
  reason: string;
  /** When it may be tried again. */
  retryAt?: Date;
}

/** What came of asking for a message to be sent. */
export type SendOutcome =
  | {
      status: 'sent';
      /** To be remembered now, where the engine does; absent: it was, by `remember`, or nothing is new. */
      state?: Record<string, unknown>;
      ttlSeconds?: number;
    }
  | Refused;

/**
 * Keeps, in place of what was sent before, what the answer will be checked against, and writes down that something is sent. Before
 * anything leaves: whatever arrives can be used.
 */
export type Remember = (state: Record<string, unknown>, ttlSeconds: number) => Promise<void>;

/** Why a method that is set up cannot be used now, although nobody has guessed. */
export interface Obstacle {
  /** `out_of_service` or `not_served` (for this account): a sentence for each in the list of methods. */
  reason: 'out_of_service' | 'not_served';
}

/** One pending proof of one method in one sign-in. */
export interface Challenge {
  /** The interaction's `cid`: stable over resumes. */
  cid: string;
  accountId: string;
  method: string;
  /** What `begin` returned as `state`. */
  state: Record<string, unknown>;
  /** This sign-in had a right answer: nobody needs to be asked any more. Absent: not yet. */
  isAnswered?: true;
  /** Nobody signs in: the owner of this one factor tries it, and it alone is asked. */
  trialOf?: string;
}

/** Where a sign-in is going on, for whoever is asked to confirm it elsewhere: what a person can recognise. */
export interface SignInPlace {
  /** What they sign in to; absent when it has no name. */
  application?: string;
  /** "Firefox, Windows". */
  browser?: string;
  ip?: string;
}

export interface Factor<Data = Record<string, unknown>> {
  readonly method: string;
  readonly kind: FactorKind;
  /** Whether the set-up wizard asks for it once the first factor is there, and whether that step can be skipped. */
  readonly inSetUp?: 'required' | 'optional';
  /** Once it is set up its owner is offered to try it, as in a sign-in: for what has to reach somebody to be of any use. */
  readonly isTried?: true;
  /**
   * Who remembers between its page and the answer what was asked, and that it was answered: the engine, unless said otherwise. `none`:
   * the answer is right or wrong by itself. `own`: the method, whose `verify` takes one answer of a sign-in, and calls others `used`.
   */
  readonly memory?: 'none' | 'own';
  /** How many active ones an account may hold, each of which another can replace; without it a new one takes the place of the old. */
  readonly maximumPerAccount?: number;
  /** The fields of its two forms with their longest length; anything else is refused before. Without any: see `Guesses`. */
  readonly evidenceFields: Readonly<Record<string, number>>;
  readonly enrolmentFields: Readonly<Record<string, number>>;
  /** Summaries of the usable ones among this account's ACTIVE records of this method (pure). */
  summarise(records: readonly FactorRecord<Data>[]): FactorSummary[];
  enrolment: {
    /** The name of its completion, in the audit and in the mail alike. */
    readonly announcedAs: 'factor_enrolled' | 'recovery_codes_created';
    /** Makes, or resumes, this account's pending factor. Calling it again within the pending time shows the same step. */
    begin(enrollee: Enrollee): Promise<Step>;
    /** Activates the pending factor by proof. `not_enrolled` when none is pending (expired): begin again. */
    confirm(enrollee: Enrollee, evidence: Evidence): Promise<EnrolmentOutcome>;
  };
  /**
   * The page that asks for this factor. Only methods that must send or remember something return a `state`.
   * @param own what the account has of this method, at least one.
   */
  begin(account: FactorAccount, challenge: Challenge, place: SignInPlace, own: readonly FactorSummary[]): Promise<Step>;
  /**
   * Sends what the person will need for the answer: by POST alone, never by looking at a page. Costs no attempt; has limits of
   * its own. Methods without it send nothing. Undefined: this sign-in had a right answer.
   */
  send?(
    account: FactorAccount,
    challenge: Challenge,
    place: SignInPlace,
    remember: Remember,
  ): Promise<SendOutcome | undefined>;
  /** What is answered elsewhere while the page waits: the page hears of it, on whichever node it happens. */
  readonly watch?: FactorWatch;
  /** Checks the evidence and consumes it in ONE conditional update. */
  verify(account: FactorAccount, challenge: Challenge, evidence: Evidence): Promise<Outcome>;
  /**
   * What it asked for on another device needs no answer any more, and none counts: in one sign-in, where another way was chosen, or
   * in all of this account.
   */
  cancel?(accountId: string, cid?: string): Promise<void>;
  /** What stands in the way of using it, besides wrong answers; absent: nothing ever does. */
  obstacle?(accountId: string): Promise<Obstacle | undefined>;
  /** False when there was none. */
  remove(accountId: string, factorId: string): Promise<boolean>;
  /** What it stores of a secret that a device of another method keeps: see `Activation.companion`. Without it devices bring it nothing. */
  companionData?(accountId: string, factorId: string, secret: Uint8Array): Data;
  /** What it stores of a factor that another system has kept; without it none can come along. */
  adopt?(owner: { accountId: string; factorId: string }, text: string): Promise<Adoption<Data>>;
  /** Does what the method has put in the outbox with `post`. Throws to be called again. */
  deliver?(payload: unknown, attempt: { id: string; isLast: boolean }): Promise<void>;
  /** What a service that the method uses posts to us. */
  receive?(callback: Callback): Promise<'accepted' | 'forged' | 'unknown'>;
  /** What the method's own clients call. */
  readonly api?: MethodApi;
  /** The app of the method's own clients, as the build made it. */
  readonly site?: MethodSite;
  /** Loads what the first person would wait for; while the server starts. */
  warmUp?(): Promise<void>;
  /** What its messages cost and where they go, for administrators. */
  readonly delivery?: DeliveryControl;
  readonly keys?: MethodKeys;
}

export interface FactorWatch {
  /** Of the method's own; its documents carry `accountId` and `changedAt`, and `{ changedAt: 1 }` is an index. */
  readonly collection: string;
  /** The `status` of those whose page can go on: it sends its form. */
  readonly answered: string;
  /** The document that this challenge waits for. Changes nothing. */
  of(challenge: Challenge): Promise<{ id: string; changedAt: Date; status: string } | undefined>;
}

/** A plugin's view of the collection `factors`, limited to its own method. Every write is one conditional update. */
export interface FactorStore<Data> {
  /** Active ones, companions of devices among them, oldest first; or the pending one that `browser` was shown and that has not expired. */
  find(accountId: string, state: 'active' | 'pending', browser?: string): Promise<FactorRecord<Data>[]>;
  /** An active one, or a pending one that has not expired, of whichever account: for clients that name their factor. */
  findById(factorId: string): Promise<FactorRecord<Data> | undefined>;
  /** The same with its account, and with what the method keeps of that, in one call. */
  findWithAccount<Beside extends object>(
    factorId: string,
    beside?: BesideFactor,
  ): Promise<WithAccount<Data, Beside> | undefined>;
  /**
   * Stores a pending factor, in place of an expired one of this account and method, or of one that another browser was
   * shown: whoever looked on must not hold the secret that the owner confirms. Returns its id; or the id of this browser's
   * own one that is still running, and stores nothing: the same page opened twice must not show two secrets.
   */
  insertPending(
    accountId: string,
    factor: { id?: string; browser?: string; label: string; data: Data; ttlSeconds: number },
  ): Promise<string>;
  /**
   * `findOneAndUpdate` on one factor: `where` and `set` are MongoDB filter and update, paths as stored (`data.lastStep`).
   * Returns the record after the update, or undefined when the condition did not hold.
   */
  update(
    accountId: string,
    factorId: string,
    where: Record<string, unknown>,
    update: Record<string, unknown>,
  ): Promise<FactorRecord<Data> | undefined>;
  /**
   * The same within a second, together with whatever else waits, and lost with the node: for what lets nobody in and keeps nobody out.
   */
  updateLater(
    accountId: string,
    factorId: string,
    where: Record<string, unknown>,
    update: Record<string, unknown>,
  ): void;
  /**
   * Pending to active, conditional on not being expired and on `where`. `gone`: not pending any more, or what it was to replace is
   * not there; `taken`: another account holds what `exclusive` stands for.
   * @param change `exclusive` see `FactorRecord`
   */
  activate(accountId: string, factorId: string, change?: Activation): Promise<'activated' | 'gone' | 'taken'>;
  /**
   * Together with its companions. A companion itself goes with its device alone. False when there was none.
   * @param state only while it is in this one: what was pending may be active by now.
   */
  remove(accountId: string, factorId: string, state?: FactorRecord['state']): Promise<boolean>;
}

/** Documents of a collection of the method's own with the factor's `accountId`. */
export interface BesideFactor {
  collection: string;
  /** Stages of an aggregation: which of them, in which order. */
  pipeline: Record<string, unknown>[];
}

export interface WithAccount<Data, Beside> {
  record: FactorRecord<Data>;
  /** As it is now; undefined when there is none, or when it may not be used. */
  account: FactorAccount | undefined;
  beside: Beside[];
}

export interface Activation {
  where?: Record<string, unknown>;
  set?: Record<string, unknown>;
  exclusive?: string;
  /** Removed in the same transaction, with its companions: one active factor by its id, or all others of the account. */
  replaces?: 'all' | { id: string } | undefined;
  /** What the device can do for another method as well: a factor of that method, in the same transaction. Nothing where it is not offered. */
  companion?: { method: string; secret: Uint8Array };
  /** Stored together with it, or not at all. @param replaced the active ones that were removed. */
  together?(unit: Unit, replaced: readonly FactorRecord[]): Promise<void>;
}

export interface FactorDeps<Data = Record<string, unknown>> {
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  /** argon2id, for codes that are stored hashed. */
  slowDerive: SlowDerive;
  logger: Logger;
  factors: FactorStore<Data>;
  /** Shown by authenticators as the issuer. */
  issuerName: string;
  /** Where the pages live; without a slash at its end. */
  issuer: string;
  /** IANA name: in which a day begins and ends. */
  timeZone: string;
  /** For what is the method's own besides its factors; collections are named after it. */
  database: Database;
  throttle: Throttle;
  guesses: Guesses;
  audit: Pick<Audit, 'record'>;
  announcer: Announcer;
  /** An account as it is now; undefined when there is none, or when it may not be used. */
  findAccount(accountId: string): Promise<FactorAccount | undefined>;
  /** Removes an active factor as its owner does on the security page: recorded and told. False when there was none. */
  giveUp(account: FactorAccount, factorId: string, origin: RequestOrigin): Promise<boolean>;
  /** Puts work of the method in the outbox, for `Factor.deliver`: one insert, sealed. */
  post(accountId: string, payload: object, unit?: Unit): Promise<void>;
  /** Posts to an address that a stranger may have named. */
  postOutside: PostOutside;
  /** A sentence of the catalogue; in the default language when `locale` is absent or unknown. */
  translate(locale: string | undefined, key: string, params?: Record<string, string | number | Date>): string;
}

/** A secret by the name of its environment variable; undefined when it is not set. */
export type SecretReader = (variable: string) => string | undefined;

/** What a plugin folder exports: one object. `Data` is a type alias, not an interface: it must be usable as a plain record. */
export interface FactorMethod<Config = unknown, Data = Record<string, unknown>> {
  readonly id: string;
  /** @throws ZodError or Error with a message for the operator. */
  parseConfig(raw: unknown, readSecret: SecretReader): Config;
  /**
   * What an operator should know of those outside whom it needs: asks them, changes and sends nothing, and tells no secret.
   * @throws ZodError whose paths are those of the method's options.
   */
  examine?(config: Config): Promise<Finding[]>;
  /** The indexes of what is its own. */
  ensureIndexes?: EnsureIndexes;
  /** Where its sealed values are: `sealedInFactors` for those of its factors. */
  sealed?: readonly SealedPlace[];
  create(config: Config, deps: FactorDeps<Data>): Factor<Data>;
}
