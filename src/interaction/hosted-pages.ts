import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountSource } from '../accounts/contract.js';
import type { Standings } from '../accounts/index.js';
import type { Audit } from '../audit/contract.js';
import type { Engine } from '../factors/index.js';
import type { Pages, Presenter } from '../http/index.js';
import type { SignInResult } from '../oidc/prompts/index.js';
import type { Clock } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { Decision } from '../policy/index.js';
import type { SecondFactorRules } from '../second-factor/rules.js';
import type { Actor } from './actor.js';
import type { EnrolmentPage } from './enrolment-page.js';
import type { Interactions } from './interaction.js';

/** What the pages of the second step share. */
export interface HostedPages {
  pages: Pages;
  presenter: Presenter;
  interactions: Interactions;
  engine: Engine;
  enrolmentPage: EnrolmentPage;
  accounts: AccountSource;
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
  /** Today's date in the configured zone, `YYYY-MM-DD`. */
  today(): string;
  setUpDeadline(account: Account): Promise<Date | undefined>;
  sendConfirmationLink(account: Account): Promise<void>;
  /** The result of a sign-in that ends with the password. */
  passwordOnly(accountId: string, ts: number, amr: string[]): SignInResult;
}
