import type Router from '@koa/router';
import * as client from 'openid-client';
import { type Clock, inSeconds } from '../../platform/clock.js';
import { explainSignIn } from '../time-sheets/explain.js';
import type { IssuerConnection } from '../time-sheets/issuer.js';
import { problemOf } from '../time-sheets/oauth-problem.js';
import type { DemoSession, Television } from '../time-sheets/session.js';
import { type ShowPage, seeOther } from '../web/pages.js';
import type { SessionStore } from '../web/session-store.js';

/** A television that has no keyboard: the device flow (RFC 8628) of a public client. */
export function mountTelevision(
  router: Router,
  deps: {
    clock: Clock;
    show: ShowPage;
    sessions: SessionStore<DemoSession>;
    connect(): Promise<IssuerConnection>;
  },
): void {
  const { clock, show, sessions, connect } = deps;

  async function begin(session: DemoSession): Promise<void> {
    const connection = await connect();
    const device = await client.initiateDeviceAuthorization(connection, { scope: 'openid profile' });
    const stop = new AbortController();
    const television: Television = {
      userCode: device.user_code,
      verificationUri: device.verification_uri,
      expiresAt: inSeconds(clock.now(), device.expires_in),
      state: 'waiting',
      stop: () => stop.abort(),
      ...(device.verification_uri_complete ? { verificationUriComplete: device.verification_uri_complete } : {}),
    };
    session.television?.stop();
    session.television = television;
    // In the background, as a television does; the page asks for the outcome.
    client
      .pollDeviceAuthorizationGrant(connection, device, undefined, { signal: stop.signal })
      .then((tokens) => {
        const claims = tokens.claims();
        Object.assign(television, { state: 'connected', ...(claims ? { claims } : {}) });
      })
      .catch((error: unknown) => {
        Object.assign(television, { state: 'failed', error: reasonOf(error) });
      });
  }

  router.get('/tv', (ctx) => {
    const television = sessions.find(ctx)?.television;
    show(ctx, 'tv', { television, facts: television?.claims ? explainSignIn(television.claims) : [] });
  });

  router.post('/tv', async (ctx) => {
    try {
      await begin(sessions.ensure(ctx));
      seeOther(ctx, '/tv');
    } catch (error) {
      show(ctx, 'oauth-problem', { problem: problemOf(error), back: '/tv' }, 400);
    }
  });

  router.post('/tv/off', (ctx) => {
    const session = sessions.find(ctx);
    session?.television?.stop();
    if (session) delete session.television;
    seeOther(ctx, '/tv');
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof client.ResponseBodyError) {
    if (error.error === 'access_denied') return 'It was refused on the other screen.';
    if (error.error === 'expired_token') return 'Nobody entered the code in time.';
    return error.error_description ?? error.error;
  }
  return 'The code ran out, or the sign-in server did not answer.';
}
