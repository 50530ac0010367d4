import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Audit, StoredAuditEvent } from '../audit/contract.js';
import { AppError } from '../errors.js';
import type { AccountMethod, Engine } from '../factors/index.js';
import { LABEL_MAX_LENGTH } from '../factors/index.js';
import { originOf, type Pages, type Presenter, seeOther } from '../http/index.js';
import type { EnrolmentPage } from '../interaction/enrolment-page.js';
import type { Clock } from '../platform/clock.js';
import type { Sessions } from '../sessions/index.js';
import { browserName } from './browser-name.js';
import type { Visitor, Visitors } from './visitor.js';

const FEW_CODES = 3;
const SIGN_INS_SHOWN = 20;

export interface SecurityPageDeps {
  pages: Pages;
  presenter: Presenter;
  visitors: Visitors;
  engine: Engine;
  enrolmentPage: EnrolmentPage;
  sessions: Sessions;
  audit: Audit;
  clock: Clock;
  provider(): Provider;
  url(path: string): string;
  /** When the password was set; undefined where the host keeps the passwords. */
  passwordChangedAt?(accountId: string): Promise<Date | undefined>;
}

/** The employee's security page: what is set up, where they are signed in, and changing all of it. */
export function mountSecurityPage(deps: SecurityPageDeps): void {
  const { pages, presenter, visitors, engine, sessions, url } = deps;
  const home = url('/account');

  const applicationName = async (clientId: string): Promise<string> => {
    const client = await deps.provider().Client.find(clientId);
    return client?.clientName ?? clientId;
  };

  const sessionRows = async (visitor: Visitor) =>
    Promise.all(
      (await sessions.list(visitor.account.id)).map(
        async ({ _id, startedAt, lastSignInAt, ip, userAgent, clientIds }) => ({
          uid: _id,
          current: _id === visitor.sessionUid,
          startedAt,
          lastSeenAt: lastSignInAt,
          browser: browserName(userAgent),
          ip,
          applications: await Promise.all(clientIds.map(applicationName)),
          endAction: url(`/account/sessions/${_id}/end`),
        }),
      ),
    );

  const signInRow = async ({ type, at, clientId, origin, details }: StoredAuditEvent) => ({
    at,
    ok: type === 'authn_login_success',
    applicationName: clientId ? await applicationName(clientId) : undefined,
    methods: ['password', ...(typeof details?.method === 'string' ? [details.method] : [])],
    browser: browserName(origin?.userAgent),
    ip: origin?.ip,
  });

  const bannerOf = (methods: AccountMethod[], ctx: Context): Record<string, unknown> | undefined => {
    if (ctx.query.updated === '1') return { kind: 'updated' };
    if (!methods.some(({ kind }) => kind === 'primary')) return { kind: 'no_second_factor' };
    const codes = methods.find(({ kind }) => kind === 'fallback')?.factors[0];
    if (!codes) return { kind: 'no_recovery_codes' };
    const left = Number(codes.facts.left);
    return left <= FEW_CODES ? { kind: 'few_recovery_codes', left } : undefined;
  };

  pages.get('/account', async (ctx) => {
    const visitor = await visitors.require(ctx, '/account');
    if (!visitor) return;
    const { account, level } = visitor;
    const [methods, rows, events, passwordChangedAt] = await Promise.all([
      engine.forAccount(account.id),
      sessionRows(visitor),
      deps.audit.list(
        { accountId: account.id, types: ['authn_login_success', 'authn_login_fail', 'factor_rejected'] },
        { limit: SIGN_INS_SHOWN },
      ),
      deps.passwordChangedAt?.(account.id),
    ]);
    const fallback = engine.enrollable().find(({ kind }) => kind === 'fallback');
    const codes = methods.find(({ kind }) => kind === 'fallback')?.factors[0];
    const hasPrimary = methods.some(({ kind }) => kind === 'primary');
    presenter.show(ctx, 'account/home', {
      account: { login: account.login, name: account.name, email: account.email },
      level,
      banner: bannerOf(methods, ctx),
      methods: engine
        .enrollable()
        .filter(({ kind }) => kind === 'primary')
        .map(({ id, kind }) => ({
          id,
          kind,
          factors: (methods.find((method) => method.id === id)?.factors ?? []).map((factor) => ({
            ...factor,
            renameHref: url(`/account/factors/${factor.id}/rename`),
            removeHref: url(`/account/factors/${factor.id}/remove`),
          })),
          addHref: url(`/account/add/${id}`),
        })),
      recoveryCodes:
        fallback && hasPrimary
          ? { left: codes?.facts.left ?? 0, createdAt: codes?.createdAt, newHref: url(`/account/add/${fallback.id}`) }
          : undefined,
      ...(deps.passwordChangedAt ? { passwordHref: url('/account/password'), passwordChangedAt } : {}),
      sessions: rows,
      signIns: await Promise.all(events.map(signInRow)),
      endAllHref: url('/account/sign-out-everywhere'),
      endAllAction: url('/account/sign-out-everywhere'),
      signOutHref: url('/session/end'),
    });
  });

  /** Where the sign-in of these pages leads back to. Only our own account pages: the value comes with the URL. */
  pages.get('/account/signed-in', async (ctx) => {
    const { state, error } = ctx.query;
    if (error === 'access_denied') throw new AppError('SECOND_FACTOR_STALE', 'sign-in was cancelled');
    const path = typeof state === 'string' && /^\/account(\/[\w/-]*)?$/.test(state) ? state : '/account';
    seeOther(ctx, url(path));
  });

  for (const { method, kind, enrolmentFields } of engine.forms()) {
    const path = `/account/add/${method}`;
    const locals = { action: url(path), backHref: home };
    /** An account without any factor sets its first one up in the wizard, under its own rule. */
    const open = async (ctx: Context): Promise<Visitor | undefined> => {
      const visitor = await visitors.require(ctx, path, { fresh: true });
      if (visitor && !visitor.hasFactor) {
        visitors.askAgain(ctx, '/account');
        return undefined;
      }
      return visitor;
    };
    pages.get(path, async (ctx) => {
      const visitor = await open(ctx);
      if (visitor) await deps.enrolmentPage.show(ctx, visitor.account, method, locals);
    });
    pages.form(path, enrolmentFields, async (ctx, evidence) => {
      const visitor = await open(ctx);
      if (!visitor) return;
      const enrolled = await deps.enrolmentPage.confirm(ctx, visitor.account, method, evidence, locals);
      if (!enrolled) return;
      // A first factor without codes to fall back on is half a set-up.
      const hasCodes =
        kind === 'fallback' || (await engine.forAccount(visitor.account.id)).some((m) => m.kind === 'fallback');
      const fallback = engine.enrollable().find((other) => other.kind === 'fallback');
      seeOther(ctx, hasCodes || !fallback ? `${home}?updated=1` : url(`/account/add/${fallback.id}`));
    });
  }

  const openFactor = async (ctx: Context, id: string, change: 'rename' | 'remove') => {
    const visitor = await visitors.require(ctx, `/account/factors/${id}/${change}`, { fresh: true });
    if (!visitor) return undefined;
    const factor = await engine.find(visitor.account.id, id);
    if (!factor) throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
    return { visitor, factor };
  };

  pages.get('/account/factors/:id/rename', async (ctx, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'rename');
    if (!opened) return;
    presenter.show(ctx, 'account/rename', {
      action: url(`/account/factors/${id}/rename`),
      label: opened.factor.label,
      backHref: home,
    });
  });
  pages.form('/account/factors/:id/rename', { label: LABEL_MAX_LENGTH }, async (ctx, { label }, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'rename');
    if (!opened) return;
    const outcome = await engine.rename(opened.visitor.account, id, label, originOf(ctx));
    if (outcome === 'not_found') throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
    if (outcome === 'renamed') return seeOther(ctx, `${home}?updated=1`);
    presenter.show(
      ctx,
      'account/rename',
      { action: url(`/account/factors/${id}/rename`), label, backHref: home, error: 'malformed' },
      422,
    );
  });

  pages.get('/account/factors/:id/remove', async (ctx, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'remove');
    if (!opened) return;
    const primaries = (await engine.forAccount(opened.visitor.account.id))
      .filter(({ kind }) => kind === 'primary')
      .flatMap(({ factors }) => factors);
    presenter.show(ctx, 'account/remove', {
      action: url(`/account/factors/${id}/remove`),
      label: opened.factor.label,
      method: opened.factor.method,
      isLast: primaries.length === 1 && primaries[0]?.id === id,
      backHref: home,
    });
  });
  pages.form('/account/factors/:id/remove', {}, async (ctx, _form, { id = '' }) => {
    const opened = await openFactor(ctx, id, 'remove');
    if (!opened) return;
    if ((await engine.remove(opened.visitor.account, id, originOf(ctx))) === 'not_found') {
      throw new AppError('FACTOR_NOT_FOUND', 'no such factor');
    }
    seeOther(ctx, `${home}?updated=1`);
  });

  pages.get('/account/sessions/:uid/end', async (ctx) => seeOther(ctx, home));
  pages.form('/account/sessions/:uid/end', {}, async (ctx, _form, { uid = '' }) => {
    const visitor = await visitors.require(ctx, '/account');
    if (!visitor) return;
    if (!(await sessions.end(visitor.account.id, uid, originOf(ctx)))) {
      throw new AppError('PAGE_NOT_FOUND', 'no such session');
    }
    seeOther(ctx, `${home}?updated=1`);
  });

  pages.get('/account/sign-out-everywhere', async (ctx) => {
    const visitor = await visitors.require(ctx, '/account/sign-out-everywhere');
    if (visitor) {
      presenter.show(ctx, 'account/sign-out-everywhere', {
        action: url('/account/sign-out-everywhere'),
        backHref: home,
      });
    }
  });
  pages.form('/account/sign-out-everywhere', {}, async (ctx) => {
    const visitor = await visitors.require(ctx, '/account/sign-out-everywhere');
    if (!visitor) return;
    await sessions.endAll(visitor.account.id, originOf(ctx));
    presenter.show(ctx, 'logout-done', {});
  });
}
