/** What the recovery desk offers: requests of employees who cannot confirm, suspensions, access codes, access passes. */
import type { Account } from '../accounts/contract.js';
import type { RequestOrigin } from '../audit/contract.js';
import type { ChangeWatcher } from '../platform/change-watcher.js';
import type { Unit } from '../platform/database.js';
import type { Page, PageRequest } from '../platform/paging.js';

/** What the employee says has happened. */
export const CIRCUMSTANCES = ['lost_or_stolen', 'broken', 'left_at_home', 'other'] as const;
export type Circumstances = (typeof CIRCUMSTANCES)[number];

/** How the administrator made sure who is asking. */
export const VERIFICATIONS = ['called_number_on_file', 'video', 'in_person', 'manager'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

/** What further browsers need during a suspension, beside the password. */
export const OTHER_BROWSERS = ['access_code', 'password_alone'] as const;
export type OtherBrowsers = (typeof OTHER_BROWSERS)[number];

export const REQUEST_STATES = ['open', 'approved', 'declined', 'withdrawn', 'expired', 'superseded'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

export const SUSPENSION_ENDS = [
  'expired',
  'administrator',
  'set_up',
  'factor_proved',
  'not_me',
  'deactivated',
] as const;
export type SuspensionEnd = (typeof SUSPENSION_ENDS)[number];

/** A request ends by itself after this time. */
export const REQUEST_SECONDS = 24 * 3600;
/** How long the browser's recovery cookie lives: a request's day and two days of suspension. */
export const RECOVERY_COOKIE_SECONDS = 72 * 3600;
/** After a decline, the next request of the account must wait this long. */
export const AFTER_DECLINE_SECONDS = 15 * 60;
export const OPEN_REQUESTS_PER_ACCOUNT = 3;
/** Each is told to every administrator, and whoever knows the password can send and withdraw them by the hundred. */
export const REQUESTS_PER_HOUR = 10;
export const NOTE_LENGTH = 300;

/** Somebody who acts on another account, and from where. */
export interface DeskActor {
  type: 'account' | 'client' | 'operator' | 'system';
  /** Account or client id. */
  id?: string;
  origin?: RequestOrigin;
}

export interface RequestDecision {
  outcome: 'approved' | 'declined';
  at: Date;
  /** Account of the administrator. */
  by: string;
  verifiedBy?: Verification;
  /** Shown to the employee. */
  reason?: string;
  hours?: number;
  otherBrowsers?: OtherBrowsers;
  revokedFactorIds?: string[];
  suspensionId?: string;
}

/** One "cannot confirm login". Its number is on the employee's page alone: neither lists nor logs have it. */
export interface RecoveryRequest {
  id: string;
  accountId: string;
  state: RequestState;
  createdAt: Date;
  expiresAt: Date;
  /** Last transition, expiry included. */
  changedAt: Date;
  circumstances: Circumstances;
  /** How to reach whoever sent it; typed by them, proves nothing. */
  contact?: string;
  note?: string;
  /** The application that was being signed in to. */
  clientId?: string;
  origin: { ip?: string; userAgent?: string };
  /** The account has signed in from this browser before. */
  isKnownBrowser: boolean;
  /** Methods of the account that were tried, and failed, in the hour before. */
  failedMethods: string[];
  decision?: RequestDecision;
}

/** What the browser that sent a request sees of it. */
export interface OwnRequest extends RecoveryRequest {
  /** Six characters, in groups of three. */
  number: string;
  /** How many administrators were told. */
  administratorsTold: number;
  /** Another browser has an open request for the same account. */
  hasRival: boolean;
}

export interface NewRequest {
  /** Hash of the browser's recovery cookie. */
  browserHash: string;
  circumstances: Circumstances;
  contact?: string;
  note?: string;
  clientId?: string;
  isKnownBrowser: boolean;
  origin: RequestOrigin;
}

export type Filed =
  | { status: 'filed'; request: OwnRequest }
  /** This browser has an open one. */
  | { status: 'exists'; request: OwnRequest }
  /** Three other browsers have open ones, or the account has sent too many within the hour. */
  | { status: 'full' }
  /** Declined a moment ago. */
  | { status: 'wait'; retryAt: Date };

export interface DecisionInput {
  outcome: 'approved' | 'declined';
  /** As the employee reads it out; spaces, hyphens and case do not matter. Required to approve. */
  requestNumber?: string;
  /** One of the configured lengths; required to approve. */
  hours?: number;
  /** Required to approve. */
  verifiedBy?: Verification;
  reason?: string;
  revokeFactorIds?: readonly string[];
  /** `access_code` unless said otherwise. */
  otherBrowsers?: OtherBrowsers;
}

export type Decided =
  | { status: 'decided'; request: RecoveryRequest; suspension?: Suspension }
  | { status: 'not_found' }
  /** Decided, withdrawn, expired or superseded before: `request` tells by whom and how. */
  | { status: 'conflict'; request: RecoveryRequest }
  /** The number is not this request's; `matches` is the account's open request that it belongs to, if any. */
  | { status: 'wrong_number'; matches?: string }
  | { status: 'suspension_running'; suspension: Suspension }
  /** Nobody decides their own request. */
  | { status: 'own_request' };

export interface Suspension {
  id: string;
  accountId: string;
  createdAt: Date;
  until: Date;
  hours: number;
  startedBy: DeskActor['id'];
  /** The approved request, unless an administrator began by themselves. */
  requestId?: string;
  verifiedBy?: Verification;
  reason?: string;
  otherBrowsers: OtherBrowsers;
  /** Computed: no end was written, and `until` is ahead. */
  isRunning: boolean;
  endedAt?: Date;
  end?: SuspensionEnd;
  endedBy?: string;
  /** Browsers let in, and access codes made. */
  clearedBrowsers: number;
  accessCodesIssued: number;
}

export interface NewSuspension {
  hours: number;
  verifiedBy?: Verification;
  reason?: string;
  otherBrowsers?: OtherBrowsers;
  revokeFactorIds?: readonly string[];
}

export type Started = { status: 'started'; suspension: Suspension } | { status: 'running'; suspension: Suspension };
export type Ended =
  | { status: 'ended'; suspension: Suspension }
  | { status: 'not_found' }
  /** It had ended before: `suspension` tells how. */
  | { status: 'conflict'; suspension: Suspension };

export type CodeIssued = { status: 'issued'; code: string } | { status: 'not_found' } | { status: 'ended' };

export interface AccessPass {
  id: string;
  accountId: string;
  createdAt: Date;
  expiresAt: Date;
  issuedBy?: string;
  usedAt?: Date;
  revokedAt?: Date;
}

/** What an attempt with a code or pass came to; the throttle is the same as for a factor. */
export type Redeemed = { status: 'accepted' } | { status: 'rejected' } | { status: 'throttled'; retryAt?: Date };

type Whose = Pick<Account, 'id'>;

/** The desk as the employee's pages use it. */
export interface EmployeeDesk {
  file(account: Whose, request: NewRequest): Promise<Filed>;
  /** The latest request that this browser has sent for the account, whatever became of it; none after 72 h. */
  ofBrowser(accountId: string | undefined, browserHash: string): Promise<OwnRequest | undefined>;
  /** False when it was not open any more. */
  withdraw(requestId: string, browserHash: string, origin: RequestOrigin): Promise<boolean>;
  /** Lets a further browser into the running suspension; a code works once. */
  redeemAccessCode(account: Whose, browserHash: string, code: string, origin: RequestOrigin): Promise<Redeemed>;
  /** Opens set-up; the caller binds the permission to its browser. A pass works once. */
  redeemAccessPass(account: Whose, pass: string, origin: RequestOrigin): Promise<Redeemed>;
  /** Whether a pass lies ready, so that the page asks for it. */
  hasAccessPass(accountId: string): Promise<boolean>;
  /**
   * A factor was proved or set up: ends a running suspension and supersedes open requests.
   * @param keepSession the session that goes on; every other one made under the suspension ends.
   */
  factorProved(
    accountId: string,
    how: 'set_up' | 'factor_proved',
    origin: RequestOrigin,
    keepSession?: string,
  ): Promise<void>;
  /** "It wasn't me": ends the suspension and the open requests, and alerts the administrators. */
  notMe(accountId: string, origin: RequestOrigin): Promise<void>;
  /** A sign-in that a suspension let in, written down and announced. */
  used(
    accountId: string,
    suspension: { id: string; clearedBy: 'request' | 'access_code' | 'password_alone' },
    context: { origin: RequestOrigin; clientId?: string; sessionUid?: string },
  ): Promise<void>;
}

/** The desk as administrators use it. Who may do what to whom is the caller's to decide, but for one's own request. */
export interface AdministratorDesk {
  decide(requestId: string, decision: DecisionInput, by: DeskActor): Promise<Decided>;
  findRequest(id: string): Promise<RecoveryRequest | undefined>;
  listRequests(filter: { state?: RequestState; accountId?: string }, page: PageRequest): Promise<Page<RecoveryRequest>>;
  /** Open requests of each of these accounts. */
  openRequests(accountIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  start(account: Whose, suspension: NewSuspension, by: DeskActor): Promise<Started>;
  end(suspensionId: string, by: DeskActor, reason?: string): Promise<Ended>;
  findSuspension(id: string): Promise<Suspension | undefined>;
  listSuspensions(filter: { isRunning?: boolean; accountId?: string }, page: PageRequest): Promise<Page<Suspension>>;
  issueAccessCode(suspensionId: string, by: DeskActor): Promise<CodeIssued>;
  /** The pass itself is shown once; it takes the place of an earlier one. @param seconds how long it can be used. */
  issueAccessPass(account: Whose, seconds: number, by: DeskActor): Promise<{ pass: string; accessPass: AccessPass }>;
  /** Newest first; unused, unexpired ones and the history. */
  listAccessPasses(accountId: string, page: PageRequest): Promise<Page<AccessPass>>;
  findAccessPass(accountId: string, id: string): Promise<AccessPass | undefined>;
  /** False when there was none to revoke. */
  revokeAccessPass(accountId: string, id: string, by: DeskActor): Promise<boolean>;
  /**
   * Removes factors that this account has: written down, announced and, whatever happens to this node, done.
   * @returns those it will not have any more.
   */
  revokeFactors(accountId: string, factorIds: readonly string[], by: DeskActor): Promise<string[]>;
  /**
   * No pass opens set-up any more, nor does what one has opened, or an invitation: to be called where an account comes to
   * be worth more than those who handed them out may touch.
   */
  closeSetUp(unit: Unit, accountId: string, by: DeskActor): Promise<void>;
  /** The account is deactivated or deleted in this unit: nothing of it stays open. */
  accountClosed(accountId: string, by: DeskActor, unit: Unit): Promise<void>;
  /** Lengths that may be chosen, hours. */
  readonly suspensionHours: readonly number[];
}

export interface RecoveryDesk extends EmployeeDesk, AdministratorDesk {
  /** Of requests. */
  readonly watcher: ChangeWatcher;
  /** Requests that nobody has decided: how many, and since when the first of them waits. */
  waiting(): Promise<{ open: number; oldest?: Date }>;
  /** Takes the IP addresses out of requests from before `date`. @returns how many, at most `limit`. */
  forgetAddresses(date: Date, limit: number): Promise<number>;
  /** Writes down what ended by time and sees to its consequences; called every few seconds. Nothing waits for it. */
  sweep(): Promise<void>;
}
