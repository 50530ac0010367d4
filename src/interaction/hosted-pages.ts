import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountSource } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import type { Audit } from '../audit/contract.js';
import type { Engine } from '../factors/index.js';
import type { EventStreams, Pages, Presenter } from '../http/index.js';
import type { SignInResult } from '../oidc/prompts/index.js';
import type { Clock } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { Decision } from '../policy/index.js';
import type { RecoveryDesk } from '../recovery-desk/contract.js';
import type { SuspensionHere } from '../second-factor/judgement.js';
import type { SecondFactorRules } from '../second-factor/rules.js';
import type { Actor } from './actor.js';
import type { EnrolmentCookie } from './enrolment-cookie.js';
import type { EnrolmentPage } from './enrolment-page.js';
import type { Interactions } from './interaction.js';
import type { RecoveryCookie } from './recovery-cookie.js';

/** What the pages of the second step share. */
export interface HostedPages {
  pages: Pages;
  presenter: Presenter;
  interactions: Interactions;
  engine: Engine;
  enrolmentPage: EnrolmentPage;
  accounts: AccountSource;
  /** As it is at the start of a request, in which nothing has changed it yet. */
  readAccount(ctx: Context, id: string): Promise<Account | undefined>;
  standings: Standings;
  audit: Audit;
  clock: Clock;
  random: Random;
  rules: SecondFactorRules;
  provider(): Provider;
  /** A path of ours as the browser must see it, with the issuer's path in front. */
  url(path: string): string;
  /** The decision function on the facts of this request. */
  judge(ctx: Context, actor: Actor, params: Readonly<Record<string, unknown>>): Promise<Decision>;
  /** May this browser set up the account's very first factor? */
  mayEnrolFirst(ctx: Context, account: Account): Promise<boolean>;
  /** May this browser set a factor up by an access pass, whatever else is set up? */
  mayEnrolByPass(ctx: Context, account: Account): Promise<boolean>;
  /** The suspension that runs for the account, and what lets this browser in. */
  suspensionFor(ctx: Context, account: Account): Promise<SuspensionHere | undefined>;
  /** Whether a sign-in without the second step would be let in here: else there is no use in asking for one. */
  acceptsSuspension(params: Readonly<Record<string, unknown>>): Promise<boolean>;
  desk: RecoveryDesk;
  streams: EventStreams;
  recoveryCookie: RecoveryCookie;
  enrolmentCookie: EnrolmentCookie;
  /** Today's date in the configured zone, `YYYY-MM-DD`. */
  today(): string;
  setUpDeadline(account: Account): Promise<Date | undefined>;
  sendConfirmationLink(account: Account): Promise<void>;
  /** The result of a sign-in that ends with the password: dated into a running suspension, and saying that it let in. */
  passwordOnly(ctx: Context, account: Account, ts: number, amr: string[]): Promise<SignInResult>;
}
