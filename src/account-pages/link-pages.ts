import type { Account, AccountSource } from '../accounts/contract.js';
import type { OneTimeLinks } from '../accounts/index.js';
import type { Audit } from '../audit/contract.js';
import { originOf, type Pages, type Presenter } from '../http/index.js';
import type { EnrolmentCookie } from '../interaction/index.js';
import { hasNotMe, NOTICES } from '../notifications/index.js';
import type { RecoveryDesk } from '../recovery-desk/contract.js';
import type { Sessions } from '../sessions/index.js';

export interface LinkPagesDeps {
  pages: Pages;
  presenter: Presenter;
  accounts: AccountSource;
  links: OneTimeLinks;
  audit: Audit;
  sessions: Sessions;
  enrolmentCookie: EnrolmentCookie;
  desk: Pick<RecoveryDesk, 'notMe'>;
  url(path: string): string;
  /** Marks the password as known to others; absent where the host keeps the passwords. */
  markPasswordCompromised?(accountId: string): Promise<unknown>;
}

/** Pages behind the other links of our mails. A mail scanner fetches them too: only their button acts. */
export function mountLinkPages(deps: LinkPagesDeps): void {
  const { pages, presenter, links, accounts, audit, url } = deps;

  const accountOf = async (purpose: 'confirm_email' | 'not_me', token: string): Promise<Account | undefined> => {
    const link = await links.find(purpose, token);
    return link && accounts.find(link.accountId);
  };

  pages.get('/confirm-email/:token', async (ctx, { token = '' }) => {
    const account = await accountOf('confirm_email', token);
    if (!account) return presenter.show(ctx, 'link-unusable', { purpose: 'confirm_email' }, 400);
    const action = url(`/confirm-email/${token}`);
    presenter.show(ctx, 'link', { purpose: 'confirm_email', login: account.login, action });
  });
  pages.form('/confirm-email/:token', {}, async (ctx, _form, { token = '' }) => {
    const link = await links.consume('confirm_email', token);
    if (!link) return presenter.show(ctx, 'link-unusable', { purpose: 'confirm_email' }, 400);
    await deps.enrolmentCookie.grant(ctx, link.accountId);
    await audit.record({
      type: 'email_confirmed',
      accountId: link.accountId,
      actor: { type: 'account', id: link.accountId },
      origin: originOf(ctx),
    });
    presenter.show(ctx, 'link-done', { purpose: 'confirm_email', continueHref: url('/account') });
  });

  pages.get('/not-me/:token', async (ctx, { token = '' }) => {
    const link = await links.find('not_me', token);
    if (!link) return presenter.show(ctx, 'link-unusable', { purpose: 'not_me' }, 400);
    const { what } = ctx.query;
    const isNotice = NOTICES.some((notice) => notice === what && hasNotMe(notice));
    presenter.show(ctx, 'not-me', {
      action: url(`/not-me/${token}`),
      at: link.createdAt,
      ...(isNotice ? { what } : {}),
    });
  });
  pages.form('/not-me/:token', {}, async (ctx, _form, { token = '' }) => {
    const link = await links.consume('not_me', token);
    if (!link) return presenter.show(ctx, 'link-unusable', { purpose: 'not_me' }, 400);
    await deps.markPasswordCompromised?.(link.accountId);
    await deps.sessions.endAll(link.accountId, originOf(ctx));
    await deps.desk.notMe(link.accountId, originOf(ctx));
    presenter.show(ctx, 'not-me-done', { passwordHref: url('/forgot-password') });
  });
}
