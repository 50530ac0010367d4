/** What pages and the interaction policy know of the engine. */
import type { Account, AccountsAlongside } from '../accounts/contract.js';
import type { Audit, RequestOrigin } from '../audit/contract.js';
import type { Announcer } from '../notifications/announcements.js';
import type { Notifier } from '../notifications/contract.js';
import type { Clock } from '../platform/clock.js';
import type { Database, Unit } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import type { PostOutside } from '../platform/post-outside.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { Level } from '../policy/levels.js';
import type { Throttle } from '../throttle/contract.js';
import type {
  ApiListener,
  Callback,
  DeliveryControl,
  Factor,
  FactorDeps,
  FactorKind,
  FactorMethod,
  FactorRecord,
  FactorSummary,
  MethodApi,
  MethodKeys,
  MethodSite,
  Obstacle,
  Refused,
  RejectionCode,
  SecretReader,
  Step,
  Throttled,
} from './contract.js';

export type { Throttled } from './contract.js';

export interface EngineOptions {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  logger: Logger;
  audit: Audit;
  notifier: Notifier;
  throttle: Throttle;
  /** Shown by authenticators as the issuer. */
  issuerName: string;
  issuer: string;
  timeZone: string;
  announcer: Announcer;
  findAccount(accountId: string): Promise<EngineAccount | undefined>;
  /** Saves calls to `findAccount`. */
  accountsAlongside?: AccountsAlongside;
  translate: FactorDeps['translate'];
  /** Puts work of a method in the outbox; whoever takes it out calls `deliver`. */
  post(accountId: string, work: MethodWork, unit?: Unit): Promise<void>;
  /** Without it as ever; a test may know better what names lead to. */
  postOutside?: PostOutside;
  /** For the methods' configuration. Without it every secret is a text that opens nothing: for work that uses none. */
  readSecret?: SecretReader;
  /** In the administrator's order; `config` as read from the file. */
  methods: readonly { method: FactorMethod; config: unknown }[];
  /** Hears that what an account has set up is not what it was. */
  onChange?(accountId: string): Promise<void>;
}

/** An account as the engine needs it: usable or not, and where to announce things. Read it afresh for each call. */
export type EngineAccount = Pick<Account, 'id' | 'login' | 'name' | 'email' | 'locale' | 'active'>;

export interface SignIn {
  /** The interaction's `cid`: the same over all resumes of one sign-in. */
  cid: string;
  account: EngineAccount;
  origin: RequestOrigin;
  clientId?: string;
  /** Its application's name. */
  application?: string;
  /** A trial of this factor by its owner: the answer is worth nothing but to know that it works. `cid` is of no sign-in then. */
  trialOf?: string;
}

export interface EnrollableMethod extends Pick<Factor, 'inSetUp' | 'isTried' | 'maximumPerAccount'> {
  id: string;
  kind: FactorKind;
  /** Whether it sends something first, when asked to. */
  sends: boolean;
}

/** What a method has put in the outbox. */
export interface MethodWork {
  method: string;
  payload: object;
}

/** The fields of a method's two forms, with their longest length. */
export type MethodForms = Pick<Factor, 'method' | 'kind' | 'evidenceFields' | 'enrolmentFields'>;

export interface AccountMethod extends Pick<EnrollableMethod, 'id' | 'kind'> {
  factors: FactorSummary[];
}

export interface WatchedChallenge {
  changedAt: Date;
  /** The page can go on, and need not be shown anew. */
  isAnswered: boolean;
  /** Calls back once, when it is no longer as `since` says. Returns how to stop. */
  onChange(since: Date, heard: (isAnswered: boolean) => void): () => void;
}

/** Set up, but not to be used now. */
export interface Unusable {
  status: 'unusable';
  /** `new`: from `retryAt` on. */
  reason: Obstacle['reason'] | 'new';
  retryAt?: Date;
}

/** `code` is for the log; a person reads one message for all of them. */
export interface Rejected {
  status: 'rejected';
  code: RejectionCode | 'account_unusable';
  /** Counted failures of this method in a row, this one included; absent where none was counted. */
  failures?: number;
  /** This sign-in had a right answer before: either its result is on its way, or it was lost and no other answer will do. */
  isAnswered?: true;
}

export type SubmitResult =
  | { status: 'verified'; method: string; factorId: string; level: Level; amr: string[] }
  | { status: 'pending' }
  | Rejected
  | Throttled;

export type EnrolmentResult =
  | { status: 'enrolled'; method: string; factorId: string; label: string; level: Level; amr: string[] }
  | { status: 'continued' }
  | Refused
  | Rejected
  | Throttled;

/** A factor that an account brings along. */
export interface WantedFactor {
  method: string;
  /** As the method understands it: `Factor.adopt`. */
  text: string;
  label?: string;
}

export interface Engine {
  /** What this account can use, in the administrator's order; one query. Pending factors and empty methods are left out. */
  forAccount(accountId: string): Promise<AccountMethod[]>;
  /** The same with what devices bring along for other methods, under the name of the device: all that a sign-in can be confirmed with. */
  forSignIn(accountId: string): Promise<AccountMethod[]>;
  /** The level that each active factor can give. */
  levels(accountId: string): Promise<Level[]>;
  /** Every method that is offered here, in the administrator's order, with the fields of its forms. */
  enrollable(): EnrollableMethod[];
  /** The forms of every method, for whoever mounts them. */
  forms(): MethodForms[];
  /** One active factor and its kind. */
  find(accountId: string, factorId: string): Promise<(FactorSummary & { kind: FactorKind }) | undefined>;

  /**
   * The page that asks for a method. Undefined: the account has no active factor of it, or is not active.
   * @param enrolled what `forSignIn` has told this request already.
   */
  begin(signIn: SignIn, methodId: string, enrolled?: readonly AccountMethod[]): Promise<Step | undefined>;
  /**
   * Has the method send what the person needs for the answer. Undefined: nothing is sent by this method, it is not set up, or this
   * sign-in was answered already. `throttled`: the method is disabled, and takes no answer.
   */
  send(signIn: SignIn, methodId: string): Promise<{ status: 'sent' } | Refused | Throttled | undefined>;
  /** Checks what the person sent: the form's fields without those of the page itself (`csrf`). Costs an attempt unless malformed or pending. */
  submit(signIn: SignIn, methodId: string, evidence: unknown): Promise<SubmitResult>;
  /** Ends every question of this account that waits for an answer; with `cid`, those of one sign-in that was given up. */
  cancel(accountId: string, cid?: string): Promise<void>;
  /** Why a method cannot be used now although nobody has guessed; most methods know no such thing and ask nobody. */
  unusable(accountId: string, method: Pick<AccountMethod, 'id' | 'factors'>): Promise<Unusable | undefined>;
  /** What stands in the way of using a method right now, wrong answers included, without counting. */
  obstacle(accountId: string, method: Pick<AccountMethod, 'id' | 'factors'>): Promise<Unusable | Throttled | undefined>;

  /**
   * Begins or resumes. Undefined: no such method, account not active, as many as allowed, nothing there to replace, or a fallback
   * without a primary.
   * @param replaces the id of an active factor of the method whose place the new one takes, of a method that allows several.
   */
  beginEnrolment(
    account: EngineAccount,
    methodId: string,
    origin: RequestOrigin,
    replaces?: string,
  ): Promise<Step | undefined>;
  /**
   * `not_enrolled`: nothing is pending any more, begin again.
   * @param replaces goes at the moment at which the new one is usable, and is told with it as one change.
   */
  confirmEnrolment(
    account: EngineAccount,
    methodId: string,
    evidence: unknown,
    origin: RequestOrigin,
    replaces?: string,
  ): Promise<EnrolmentResult>;

  /** `malformed`: nothing usable is left of the name, or it has more than 40 characters. */
  rename(
    account: EngineAccount,
    factorId: string,
    label: string,
    origin: RequestOrigin,
  ): Promise<'renamed' | 'not_found' | 'malformed'>;
  /** Removes one factor without a word: whoever decided it has written that down and told the person. */
  discard(accountId: string, factorId: string): Promise<boolean>;
  /** Loads what the first person would wait for; while the server starts. */
  warmUp(): Promise<void>;
  /** Does what a method has put in the outbox. Throws to be called again. */
  deliver(work: MethodWork, attempt: { id: string; isLast: boolean }): Promise<void>;
  /** What a service that a method uses posts to us. */
  receive(methodId: string, callback: Callback): Promise<'accepted' | 'forged' | 'unknown'>;
  /** What this challenge waits for elsewhere; undefined where there is nothing (any more). */
  watched(signIn: Pick<SignIn, 'cid' | 'account'>, methodId: string): Promise<WatchedChallenge | undefined>;
  /** What clients of the methods call, and whose it is. */
  apis(): (MethodApi & { method: string })[];
  /** Tells a client of a method as long as it listens. Returns how to stop. */
  listen(methodId: string, listener: Omit<ApiListener, 'busy'>, tell: { changed(): void; revoked(): void }): () => void;
  /** The apps of the methods' own clients. */
  sites(): MethodSite[];
  /** What a method's messages cost and where they go; undefined when it sends none that cost, or is not offered. */
  delivery(methodId: string): DeliveryControl | undefined;
  /** The key pairs of a method; undefined where it has none, or is not offered. */
  keys(methodId: string): MethodKeys | undefined;
  /** Records of factors that an account brings along from another system: for whoever stores it, together with the account. */
  adopt(
    accountId: string,
    wanted: readonly WantedFactor[],
  ): Promise<{ records: FactorRecord[]; methods: AccountMethod[]; problems: { index: number; reason: string }[] }>;
  /** Stores such records, in the transaction that makes their account. */
  keepAdopted(records: readonly FactorRecord[], unit: Unit): Promise<void>;
  /** Ids of those records whose `exclusive` another account holds. */
  heldElsewhere(records: readonly FactorRecord[]): Promise<ReadonlySet<string>>;
  /** Removes one factor and announces it. Fallbacks stay when the last primary goes: see `forAccount`. */
  remove(account: EngineAccount, factorId: string, origin: RequestOrigin): Promise<'removed' | 'not_found'>;
}

/** What the engine's parts share. */
export interface EngineParts extends EngineOptions {
  /** Made from `methods`, in their order. */
  factors: ReadonlyMap<string, Factor>;
}
