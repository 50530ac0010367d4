import type { Context } from 'koa';
import type { Account } from '../accounts/contract.js';
import {
  type AccountStore,
  checkNewPassword,
  type LinkPurpose,
  type OneTimeLinks,
  type PasswordSignIn,
  SHORTEST_ALONE,
  SHORTEST_WITH_SECOND_FACTOR,
} from '../accounts/index.js';
import type { Audit, AuditEvent } from '../audit/contract.js';
import type { Engine } from '../factors/index.js';
import { originOf, type Pages, type Presenter, seeOther } from '../http/index.js';
import type { EnrolmentCookie, KnownBrowser } from '../interaction/index.js';
import type { Notifier } from '../notifications/contract.js';
import type { Clock } from '../platform/clock.js';
import { ipSubject } from '../platform/ip-subject.js';
import type { Logger } from '../platform/logger.js';
import type { Sessions } from '../sessions/index.js';
import type { Throttle, ThrottleRule } from '../throttle/contract.js';
import type { Visitors } from './visitor.js';

export const RESET_LINK_SECONDS = 3600;
/** Mails that anybody can cause to be sent to somebody. */
const RESET_MAILS: ThrottleRule = { counter: 'reset-mail', limit: 3, windowSeconds: 3600 };
const RESET_REQUESTS: ThrottleRule = { counter: 'reset-request', limit: 20, windowSeconds: 3600 };

const NEW_PASSWORD_FIELDS = { password: 512, repeat: 512 };

export interface PasswordPagesDeps {
  issuer: string;
  pages: Pages;
  presenter: Presenter;
  visitors: Visitors;
  accounts: AccountStore;
  passwordSignIn: PasswordSignIn;
  links: OneTimeLinks;
  notifier: Notifier;
  audit: Audit;
  engine: Engine;
  sessions: Sessions;
  throttle: Throttle;
  knownBrowser: KnownBrowser;
  enrolmentCookie: EnrolmentCookie;
  clock: Clock;
  logger: Logger;
  url(path: string): string;
}

/** Passwords: chosen by invitation, by a link after "Forgot password?", or changed by a signed-in person. */
export function mountPasswordPages(deps: PasswordPagesDeps): {
  /** Mails the link with which a new password is chosen, up to three times an hour; false when that was too often. */
  sendResetLink(account: Account, by?: AuditEvent['actor']): Promise<boolean>;
} {
  const { pages, presenter, accounts, links, notifier, audit, engine, sessions, throttle, url } = deps;

  const hasFactor = async (accountId: string): Promise<boolean> => (await engine.levels(accountId)).length > 0;
  const minimumLength = async (accountId: string): Promise<number> =>
    (await hasFactor(accountId)) ? SHORTEST_WITH_SECOND_FACTOR : SHORTEST_ALONE;

  /** What speaks against a password and its repetition; empty when nothing does. */
  const problemsOf = async (account: Account, form: { password: string; repeat: string }): Promise<string[]> => {
    const problems: string[] = checkNewPassword(form.password, {
      login: account.login,
      name: account.name,
      ...(account.email ? { email: account.email } : {}),
      secondFactorActive: await hasFactor(account.id),
    });
    return form.password === form.repeat ? problems : [...problems, 'mismatch'];
  };

  const sendResetLink = async (account: Account, actor: AuditEvent['actor'] = { type: 'system' }): Promise<boolean> => {
    if (!(await throttle.reserve(`account:${account.id}`, [RESET_MAILS])).reserved) return false;
    const token = await links.create('password_reset', account.id, RESET_LINK_SECONDS);
    await notifier.notify(account, 'password_reset', { link: `${deps.issuer}/password-reset/${token}` });
    await audit.record({ type: 'password_reset_sent', accountId: account.id, actor });
    return true;
  };

  /** The page behind a link of `purpose`: GET shows, POST uses the link up and stores the password. */
  const mountLink = (
    purpose: Extract<LinkPurpose, 'invitation' | 'password_reset'>,
    path: string,
    afterwards: (ctx: Context, account: Account) => Promise<void>,
  ): void => {
    const open = async (ctx: Context, token: string): Promise<Account | undefined> => {
      const link = await links.find(purpose, token);
      const account = link && (await accounts.find(link.accountId));
      if (account?.active) return account;
      presenter.show(
        ctx,
        'link-unusable',
        { purpose, ...(purpose === 'password_reset' ? { href: url('/forgot-password') } : {}) },
        400,
      );
      return undefined;
    };
    const locals = async (account: Account, token: string) => ({
      action: url(`${path}/${token}`),
      purpose,
      login: account.login,
      minimumLength: await minimumLength(account.id),
    });

    pages.get(`${path}/:token`, async (ctx, { token = '' }) => {
      const account = await open(ctx, token);
      if (account) presenter.show(ctx, 'password/new', await locals(account, token));
    });
    pages.form(`${path}/:token`, NEW_PASSWORD_FIELDS, async (ctx, form, { token = '' }) => {
      const account = await open(ctx, token);
      if (!account) return;
      const problems = await problemsOf(account, form);
      if (problems.length > 0) {
        return presenter.show(ctx, 'password/new', { ...(await locals(account, token)), problems }, 422);
      }
      if (!(await links.consume(purpose, token))) return void (await open(ctx, token));
      await accounts.setPassword(account.id, form.password);
      await afterwards(ctx, account);
      deps.knownBrowser.remember(ctx, account.login);
      presenter.show(ctx, 'password/done', { purpose, continueHref: url('/account') });
    });
  };

  mountLink('invitation', '/invitation', async (ctx, account) => {
    await deps.enrolmentCookie.grant(ctx, account.id);
    await audit.record({
      type: 'invitation_redeemed',
      accountId: account.id,
      actor: { type: 'account', id: account.id },
      origin: originOf(ctx),
    });
  });

  mountLink('password_reset', '/password-reset', async (ctx, account) => {
    // Whoever used the old password is out; factors stay exactly as they were.
    await sessions.endAll(account.id, originOf(ctx));
    await announceChange(ctx, account);
  });

  const announceChange = async (ctx: Context, account: Account): Promise<void> => {
    await audit.record({
      type: 'authn_password_change',
      accountId: account.id,
      actor: { type: 'account', id: account.id },
      origin: originOf(ctx),
    });
    await notifier.notify(account, 'password_changed', { at: deps.clock.now().toISOString() });
  };

  const sendIfKnown = async (login: string): Promise<void> => {
    const account = await accounts.findByLogin(login);
    if (account?.active && account.email) await sendResetLink(account);
  };

  pages.get('/forgot-password', async (ctx) => {
    presenter.show(ctx, 'password/forgot', { action: url('/forgot-password'), sent: ctx.query.sent === '1' });
  });
  pages.form('/forgot-password', { login: 256 }, async (ctx, { login }) => {
    if (login.trim() === '') {
      return presenter.show(ctx, 'password/forgot', { action: url('/forgot-password'), error: 'missing' }, 422);
    }
    const reservation = await throttle.reserve(ipSubject(ctx.ip), [RESET_REQUESTS]);
    if (!reservation.reserved) {
      const retryAt = reservation.retryAt ?? deps.clock.now();
      const seconds = Math.max(1, Math.ceil((retryAt.getTime() - deps.clock.now().getTime()) / 1000));
      ctx.set('Retry-After', String(seconds));
      return presenter.show(
        ctx,
        'password/forgot',
        { action: url('/forgot-password'), login, error: 'throttled', retryAt, retrySeconds: seconds },
        429,
      );
    }
    // The same answer after the same time for every login, known or not: the work goes on behind it.
    void sendIfKnown(login).catch((err: unknown) => deps.logger.error({ err }, 'reset link not sent'));
    seeOther(ctx, url('/forgot-password?sent=1'));
  });

  pages.get('/account/password', async (ctx) => {
    const visitor = await deps.visitors.require(ctx, '/account/password', { fresh: true });
    if (!visitor) return;
    presenter.show(ctx, 'password/new', {
      action: url('/account/password'),
      purpose: 'change',
      login: visitor.account.login,
      minimumLength: await minimumLength(visitor.account.id),
      backHref: url('/account'),
    });
  });
  pages.form('/account/password', { ...NEW_PASSWORD_FIELDS, current: 512 }, async (ctx, form) => {
    const visitor = await deps.visitors.require(ctx, '/account/password', { fresh: true });
    if (!visitor) return;
    const { account, sessionUid } = visitor;
    const locals = {
      action: url('/account/password'),
      purpose: 'change',
      login: account.login,
      minimumLength: await minimumLength(account.id),
      backHref: url('/account'),
    };
    const problems = await problemsOf(account, form);
    if (form.current === form.password && problems.length === 0) problems.push('same');
    if (problems.length > 0) return presenter.show(ctx, 'password/new', { ...locals, problems }, 422);
    const knownBrowser = deps.knownBrowser.idFor(ctx, account.login);
    const answer = await deps.passwordSignIn.authenticate({
      login: account.login,
      password: form.current,
      origin: originOf(ctx),
      ...(knownBrowser ? { knownBrowser } : {}),
    });
    if (answer.status === 'throttled') {
      const seconds = Math.max(1, Math.ceil((answer.retryAt.getTime() - deps.clock.now().getTime()) / 1000));
      ctx.set('Retry-After', String(seconds));
      const waiting = { problems: ['throttled'], retryAt: answer.retryAt, retrySeconds: seconds };
      return presenter.show(ctx, 'password/new', { ...locals, ...waiting }, 429);
    }
    if (answer.status !== 'ok') {
      await audit.record({
        type: 'authn_password_change_fail',
        accountId: account.id,
        actor: { type: 'account', id: account.id },
        origin: originOf(ctx),
      });
      return presenter.show(ctx, 'password/new', { ...locals, problems: ['wrong_current'] }, 422);
    }
    await accounts.setPassword(account.id, form.password);
    await sessions.endAll(account.id, originOf(ctx), { except: sessionUid });
    await announceChange(ctx, account);
    presenter.show(ctx, 'password/done', { purpose: 'change', continueHref: url('/account') });
  });

  return { sendResetLink };
}
