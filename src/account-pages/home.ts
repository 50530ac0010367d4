import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Audit, StoredAuditEvent } from '../audit/contract.js';
import { AppError } from '../errors.js';
import type { AccountMethod, Engine } from '../factors/index.js';
import { type EventStreams, type Pages, type Presenter, seeOther, stateOf } from '../http/index.js';
import type { EnrolmentPage } from '../interaction/index.js';
import { browserName } from '../platform/browser-name.js';
import type { Clock } from '../platform/clock.js';
import type { Sessions } from '../sessions/index.js';
import { ACCOUNT_CLIENT_ID, type Visitor, type Visitors } from './visitor.js';

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
  streams: EventStreams;
  provider(): Provider;
  url(path: string): string;
  /** When the password was set; undefined where the host keeps the passwords. */
  passwordChangedAt?(accountId: string): Promise<Date | undefined>;
}

/** The employee's security page: what is set up and where they are signed in. */
export function mountHome(deps: SecurityPageDeps): void {
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
    const { done } = ctx.query;
    if (typeof done === 'string' && /^[a-z_]{1,24}$/.test(done)) return { kind: done };
    if (!methods.some(({ kind }) => kind === 'primary')) return { kind: 'no_second_factor' };
    const codes = methods.find(({ kind }) => kind === 'reserve')?.factors[0];
    if (!codes) return { kind: 'no_recovery_codes' };
    const left = Number(codes.facts.left);
    return left <= FEW_CODES ? { kind: 'few_recovery_codes', left } : undefined;
  };

  pages.get('/account', async (ctx) => {
    const visitor = await visitors.require(ctx, '/account');
    if (!visitor) return;
    const { account, level } = visitor;
    const [methods, withCompanions, rows, events, passwordChangedAt] = await Promise.all([
      engine.forAccount(account.id),
      engine.forSignIn(account.id),
      sessionRows(visitor),
      deps.audit.list(
        { accountId: account.id, types: ['authn_login_success', 'authn_login_fail', 'factor_rejected'] },
        { limit: SIGN_INS_SHOWN },
      ),
      deps.passwordChangedAt?.(account.id),
    ]);
    const reserve = engine.enrollable().find(({ kind }) => kind === 'reserve');
    const codes = methods.find(({ kind }) => kind === 'reserve')?.factors[0];
    const hasPrimary = methods.some(({ kind }) => kind === 'primary');
    const countOf = (id: string): number => withCompanions.find((method) => method.id === id)?.factors.length ?? 0;
    presenter.show(ctx, 'account/home', {
      account: { login: account.login, name: account.name, email: account.email },
      level,
      banner: bannerOf(methods, ctx),
      ...(visitor.suspendedUntil
        ? { suspension: { until: visitor.suspendedUntil, setUpHref: url('/account/turn-on') } }
        : {}),
      methods: engine
        .enrollable()
        .filter(({ kind }) => kind === 'primary' || (kind === 'fallback' && hasPrimary))
        .map(({ id, kind, isTried, maximumPerAccount: maximum }) => ({
          id,
          kind,
          replaces: maximum === undefined,
          factors: (methods.find((method) => method.id === id)?.factors ?? []).map((factor) => ({
            ...factor,
            // What has no others beside it needs no name to be told apart.
            ...(maximum === undefined
              ? {}
              : {
                  renameHref: url(`/account/factors/${factor.id}/rename`),
                  changeHref: url(`/account/change/${id}/${factor.id}`),
                }),
            // Asks anew, which looking at the page alone does not.
            ...(isTried ? { tryAction: url(`/account/try/${id}/${factor.id}/send`) } : {}),
            removeHref: url(`/account/factors/${factor.id}/remove`),
          })),
          ...(maximum === undefined || countOf(id) < maximum ? { addHref: url(`/account/add/${id}`) } : {}),
        })),
      recoveryCodes:
        reserve && hasPrimary
          ? { left: codes?.facts.left ?? 0, createdAt: codes?.createdAt, newHref: url(`/account/add/${reserve.id}`) }
          : undefined,
      ...(deps.passwordChangedAt ? { passwordHref: url('/account/password'), passwordChangedAt } : {}),
      sessions: rows,
      // A wrong code while a method is set up is no sign-in.
      signIns: await Promise.all(events.filter(({ details }) => details?.during === undefined).map(signInRow)),
      endAllHref: url('/account/sign-out-everywhere'),
      endAllAction: url('/account/sign-out-everywhere'),
      signOutHref: url('/session/end'),
    });
  });

  /** Proving or setting up a method ends a suspension: the sign-in's own pages offer both. */
  pages.get('/account/turn-on', async (ctx) => visitors.askAgain(ctx, '/account'));

  /** Where the sign-in of these pages leads back to. Only our own account pages: the value comes with the URL. */
  pages.get('/account/signed-in', async (ctx) => {
    const { state, error } = ctx.query;
    if (error !== undefined && !(await visitors.isSignedIn(ctx))) {
      // Cancelled: leading on would only ask again.
      stateOf(ctx).application = { name: await applicationName(ACCOUNT_CLIENT_ID), href: home };
      throw new AppError('INTERACTION_ENDED', 'sign-in of the account pages was not completed');
    }
    const path = typeof state === 'string' && /^\/account(\/[\w/-]*)?$/.test(state) ? state : '/account';
    seeOther(ctx, error === undefined ? url(path) : home);
  });
}
