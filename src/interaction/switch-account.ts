import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, AccountSource } from '../accounts/contract.js';
import { AppError } from '../errors.js';
import type { Presenter } from '../http/index.js';
import { originOf, type Pages, seeOther } from '../http/index.js';
import { FIRST_FACTOR_TTL_SECONDS, type FirstFactor } from '../oidc/prompts/index.js';
import { type Clock, epochSeconds } from '../platform/clock.js';
import type { Sessions } from '../sessions/index.js';
import type { Interactions, SignInInteraction } from './interaction.js';

export interface SwitchAccountDeps {
  pages: Pages;
  presenter: Presenter;
  interactions: Interactions;
  sessions: Sessions;
  accounts: AccountSource;
  clock: Clock;
  provider(): Provider;
  url(path: string): string;
  /** Goes on with a right password: the second factor's own entry. */
  afterPassword(ctx: Context, accountId: string, amr: string[], ts: number): Promise<void>;
}

/** Stands between a right password and everything after it where the browser is signed in as somebody else. */
export interface SwitchAccount {
  /** Asks which of the two it shall be; false when nobody else is signed in here. */
  ask(ctx: Context, interaction: SignInInteraction, accountId: string, amr: string[]): Promise<boolean>;
}

/** "You are signed in as A. Continue as B?": one browser never holds two people's sessions, and none is ended unasked. */
export function mountSwitchAccount(deps: SwitchAccountDeps): SwitchAccount {
  const { pages, presenter, interactions, accounts, clock, url } = deps;

  const signedIn = async (ctx: Context): Promise<{ account: Account; sessionUid: string } | undefined> => {
    const { accountId, uid } = await deps.provider().Session.get(ctx as never);
    const account = accountId ? await accounts.find(accountId) : undefined;
    return account && { account, sessionUid: uid };
  };

  const open = async (
    ctx: Context,
    uid: string,
  ): Promise<{ interaction: SignInInteraction; other: FirstFactor } | undefined> => {
    const interaction = await interactions.load(ctx, uid, 'login');
    if (!interaction) return undefined;
    const other = interaction.result?.other_account;
    if (other && epochSeconds(clock) - other.ts <= FIRST_FACTOR_TTL_SECONDS) return { interaction, other };
    seeOther(ctx, url(`/sign-in/${uid}`));
    return undefined;
  };

  /** From here on the sign-in belongs to no session: the library would refuse to resume it in a new one. */
  const detach = (interaction: SignInInteraction): void => {
    interaction.session = undefined;
    delete interaction.result?.other_account;
  };

  pages.get('/sign-in/:uid/switch', async (ctx, { uid = '' }) => {
    const opened = await open(ctx, uid);
    if (!opened) return;
    const current = await signedIn(ctx);
    const requested = await accounts.find(opened.other.accountId);
    // Signed out in another tab meanwhile: there is nothing to choose any more.
    if (!current || !requested) return seeOther(ctx, url(`/sign-in/${uid}`));
    presenter.show(ctx, 'switch-account', {
      action: url(`/sign-in/${uid}/switch`),
      current: current.account.login,
      requested: requested.login,
    });
  });

  pages.form('/sign-in/:uid/switch', { decision: 16 }, async (ctx, { decision }, { uid = '' }) => {
    const opened = await open(ctx, uid);
    if (!opened) return;
    const { interaction, other } = opened;
    switch (decision) {
      case 'continue':
        interaction.result = undefined as never;
        await interaction.persist();
        return seeOther(ctx, interaction.returnTo);
      case 'switch': {
        const current = await signedIn(ctx);
        if (current && current.account.id !== other.accountId) {
          const { account, sessionUid } = current;
          if (!(await deps.sessions.end(account.id, sessionUid, originOf(ctx)))) {
            await (await deps.provider().Session.findByUid(sessionUid))?.destroy();
          }
        }
        detach(interaction);
        return deps.afterPassword(ctx, other.accountId, other.amr, other.ts);
      }
      default:
        throw new AppError('REQUEST_MALFORMED', 'neither switch nor continue');
    }
  });

  return {
    async ask(ctx, interaction, accountId, amr) {
      const current = await signedIn(ctx);
      if (!current || current.account.id === accountId) return false;
      await interactions.keep(ctx, interaction, { other_account: { accountId, amr, ts: epochSeconds(clock) } });
      seeOther(ctx, url(`/sign-in/${interaction.uid}/switch`));
      return true;
    },
  };
}
