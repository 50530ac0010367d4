import type { Context } from 'koa';
import type { Account, PasswordSignIn } from '../accounts/index.js';
import { AppError } from '../errors.js';
import type { Pages, Presenter } from '../http/index.js';
import { originOf, seeOther, stateOf } from '../http/index.js';
import type { Clock } from '../platform/clock.js';
import type { Interactions, SignInInteraction } from './interaction.js';
import type { KnownBrowser } from './known-browser.js';
import { sayRetryAfter } from './retry-after.js';
import type { SwitchAccount } from './switch-account.js';

export interface SignInDeps {
  pages: Pages;
  presenter: Presenter;
  interactions: Interactions;
  passwordSignIn: PasswordSignIn;
  knownBrowser: KnownBrowser;
  switchAccount: SwitchAccount;
  clock: Clock;
  /** Spares the rest of this request from reading the account again. */
  requestAccounts: { keep(ctx: Context, account: Account): void };
  url(path: string): string;
  /** Goes on with a right password: the second factor's own entry. */
  afterPassword(ctx: Context, accountId: string, amr: string[]): Promise<void>;
  /** Sends an account whose password others may know to a page that changes it first. */
  forcePasswordChange(ctx: Context, account: Account): Promise<void>;
}

const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 256) : '');

/** The password page: prompt `login` of our own server. */
export function mountSignIn(deps: SignInDeps): void {
  const { pages, presenter, interactions, passwordSignIn, knownBrowser, clock, url } = deps;

  const show = (ctx: Context, interaction: SignInInteraction, locals: Record<string, unknown>, status = 200): void => {
    const path = url(`/sign-in/${interaction.uid}`);
    presenter.show(
      ctx,
      'sign-in',
      {
        action: path,
        applicationName: stateOf(ctx).application?.name,
        login: text(interaction.params.login_hint),
        forgotHref: url('/forgot-password'),
        cancelAction: `${path}/cancel`,
        ...locals,
      },
      status,
    );
  };

  pages.get('/sign-in/:uid', async (ctx, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'login');
    if (!interaction) return;
    const { first_factor: first } = interaction.lastSubmission ?? {};
    show(ctx, interaction, first ? { error: 'password_expired' } : {});
  });

  pages.form('/sign-in/:uid', { login: 256, password: 512 }, async (ctx, { login, password }, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'login');
    if (!interaction) return;
    const known = knownBrowser.idFor(ctx, login);
    const answer = await passwordSignIn.authenticate({
      login,
      password,
      origin: originOf(ctx),
      clientId: String(interaction.params.client_id),
      ...(known ? { knownBrowser: known } : {}),
    });
    switch (answer.status) {
      case 'throttled': {
        const seconds = sayRetryAfter(ctx, clock, answer.retryAt);
        show(ctx, interaction, { login, error: 'throttled', retryAt: answer.retryAt, retrySeconds: seconds }, 429);
        return;
      }
      case 'wrong':
        show(ctx, interaction, { login, error: 'wrong' }, 422);
        return;
      case 'deactivated':
        throw new AppError('ACCOUNT_UNUSABLE', 'deactivated account with the right password');
      case 'ok':
        knownBrowser.remember(ctx, login);
        if (answer.mustChangePassword) await deps.forcePasswordChange(ctx, answer.account);
        else {
          deps.requestAccounts.keep(ctx, answer.account);
          if (await deps.switchAccount.ask(ctx, interaction, answer.account.id, ['pwd'])) return;
          await deps.afterPassword(ctx, answer.account.id, ['pwd']);
        }
    }
  });

  pages.get('/sign-in/:uid/cancel', async (ctx, { uid = '' }) => seeOther(ctx, url(`/sign-in/${uid}`)));
  pages.form('/sign-in/:uid/cancel', {}, async (ctx, _form, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'login');
    if (interaction) await interactions.cancel(ctx, interaction);
  });
}
