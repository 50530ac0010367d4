import type Router from '@koa/router';
import type { Context } from 'koa';
import { readForm } from '../web/form.js';
import { type ShowPage, seeOther } from '../web/pages.js';
import type { SessionStore } from '../web/session-store.js';
import { API_PATH } from './api.js';
import type { LogoutOrder } from './backchannel-logout.js';
import { explainSignIn, readable } from './explain.js';
import { isEnded, problem, problemOf } from './oauth-problem.js';
import { ASKS, type Ask, type RelyingParty } from './relying-party.js';
import type { DemoSession, SignedIn } from './session.js';

export interface TimeSheetsDeps {
  baseUrl: string;
  show: ShowPage;
  sessions: SessionStore<DemoSession>;
  relyingParty: RelyingParty;
  checkLogoutToken(token: string): Promise<LogoutOrder | undefined>;
}

const isAsk = (value: unknown): value is Ask => typeof value === 'string' && Object.hasOwn(ASKS, value);
const one = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The application "Time Sheets": what a relying application sees of the issuer. */
export function mountTimeSheets(router: Router, deps: TimeSheetsDeps): void {
  const { baseUrl, show, sessions, relyingParty } = deps;

  /** Protocol failures become a page; a sign-in that the issuer ended ends here too. */
  const kindly = async (ctx: Context, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const found = problemOf(error);
      if (isEnded(found)) delete sessions.find(ctx)?.signedIn;
      show(ctx, 'oauth-problem', { problem: found }, 400);
    }
  };
  const whenSignedIn = async (ctx: Context, work: (signedIn: SignedIn) => Promise<void>): Promise<void> => {
    const signedIn = sessions.find(ctx)?.signedIn;
    if (signedIn) await kindly(ctx, () => work(signedIn));
    else seeOther(ctx, '/app');
  };

  router.get('/app', (ctx) => {
    const signedIn = sessions.find(ctx)?.signedIn;
    if (!signedIn) return show(ctx, 'app-signed-out');
    const { claims, idToken, accessToken, userinfo, refreshToken, refreshes, apiAnswer } = signedIn;
    show(ctx, 'app', {
      who: userinfo?.name ?? claims.name ?? claims.sub,
      facts: explainSignIn(claims),
      idToken: readable(idToken),
      accessToken: readable(accessToken),
      userinfo: userinfo && JSON.stringify(userinfo, null, 2),
      canRefresh: refreshToken !== undefined,
      refreshes,
      apiAnswer,
      needsStepUp: apiAnswer?.challenge?.includes('insufficient_user_authentication'),
    });
  });

  router.get('/app/sign-in', (ctx) =>
    kindly(ctx, async () => {
      const { ask, login_hint } = ctx.query;
      const to = await relyingParty.depart(sessions.ensure(ctx), isAsk(ask) ? ask : 'plain', one(login_hint));
      seeOther(ctx, to.href);
    }),
  );

  router.get('/callback', (ctx) =>
    kindly(ctx, async () => {
      const session = sessions.find(ctx);
      const signedIn = session && (await relyingParty.arrive(session, new URL(ctx.url, baseUrl)));
      if (!session || !signedIn) return show(ctx, 'oauth-problem', { problem: problem('unknown_state') }, 400);
      session.signedIn = signedIn;
      sessions.renew(ctx);
      seeOther(ctx, '/app');
    }),
  );

  router.post('/app/refresh', (ctx) =>
    whenSignedIn(ctx, async (signedIn) => {
      await relyingParty.renew(signedIn);
      seeOther(ctx, '/app#refresh');
    }),
  );

  router.post('/app/call-api', (ctx) =>
    whenSignedIn(ctx, async (signedIn) => {
      const response = await fetch(`${baseUrl}${API_PATH}/timesheets`, {
        headers: { Authorization: `Bearer ${signedIn.accessToken}` },
        signal: AbortSignal.timeout(10_000),
      });
      const challenge = response.headers.get('WWW-Authenticate');
      signedIn.apiAnswer = {
        status: response.status,
        body: JSON.stringify(await response.json(), null, 2),
        ...(challenge ? { challenge } : {}),
      };
      seeOther(ctx, '/app#api');
    }),
  );

  router.post('/app/sign-out', (ctx) =>
    whenSignedIn(ctx, async ({ idToken }) => {
      const to = await relyingParty.leaveTo(idToken, `${baseUrl}/signed-out`);
      sessions.end(ctx);
      seeOther(ctx, to.href);
    }),
  );

  router.get('/signed-out', (ctx) => show(ctx, 'signed-out'));

  router.post('/backchannel-logout', async (ctx) => {
    const { logout_token } = await readForm(ctx, { logout_token: 8_192 });
    const order = await deps.checkLogoutToken(logout_token);
    if (!order) {
      ctx.status = 400;
      ctx.body = { error: 'invalid_request' };
      return;
    }
    for (const state of sessions.states()) {
      const claims = state.signedIn?.claims;
      if (!claims) continue;
      // The sign-in alone: the order comes, too, when somebody else is just signing in with that browser, who is to arrive.
      if (order.sid !== undefined ? claims.sid === order.sid : claims.sub === order.sub) delete state.signedIn;
    }
    ctx.status = 200;
    ctx.body = '';
  });
}
