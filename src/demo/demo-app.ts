import Router from '@koa/router';
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import Koa from 'koa';
import { ClientSecretBasic, None } from 'openid-client';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { systemRandom } from '../platform/random.js';
import type { DemoAccount } from './accounts.js';
import { mountOutbox } from './outbox-pages.js';
import { mountAuthenticator } from './phone/authenticator-pages.js';
import { mountTelevision } from './television/pages.js';
import { createAccessTokenCheck } from './time-sheets/access-token-check.js';
import { API_PATH, mountApi } from './time-sheets/api.js';
import { createLogoutTokenCheck } from './time-sheets/backchannel-logout.js';
import { issuerConnection } from './time-sheets/issuer.js';
import { mountTimeSheets } from './time-sheets/pages.js';
import { createRelyingParty } from './time-sheets/relying-party.js';
import { emptySession } from './time-sheets/session.js';
import { mountTour } from './tour.js';
import { mountAssets } from './web/assets.js';
import { friendlyErrors, ownFormsOnly, ownHostOnly, safeHeaders } from './web/guard.js';
import { createPages } from './web/pages.js';
import { createSessionStore } from './web/session-store.js';

export interface DemoDeps {
  issuer: string;
  /** Of the demonstration itself, without a slash at its end. */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** A public client for the device flow. */
  televisionClientId?: string;
  /** Shown on the tour. */
  accounts: readonly DemoAccount[];
  database: Database;
  clock: Clock;
  log?: (line: string) => void;
}

/** Wires the demonstration; listens to nothing by itself. */
export function createDemoApp(deps: DemoDeps): Koa {
  const { issuer, baseUrl, clientId, clientSecret, database, clock } = deps;
  const show = createPages({ issuer, baseUrl });
  const sessions = createSessionStore({ clock, random: systemRandom, empty: emptySession });
  const connect = issuerConnection(issuer, clientId, ClientSecretBasic(clientSecret));
  const connectTelevision = issuerConnection(issuer, deps.televisionClientId ?? 'demo-tv', None());
  const keys = issuerKeys(async () => (await connect()).serverMetadata().jwks_uri ?? `${issuer}/jwks`);
  const resource = baseUrl + API_PATH;
  const relyingParty = createRelyingParty({ connect, clock, redirectUri: `${baseUrl}/callback`, resource });
  const checkLogoutToken = createLogoutTokenCheck({ issuer, clientId, clock, keys });

  const router = new Router();
  mountAssets(router);
  mountTour(router, show, deps.accounts);
  mountTimeSheets(router, { baseUrl, show, sessions, relyingParty, checkLogoutToken });
  mountApi(router, createAccessTokenCheck({ issuer, audience: resource, clock, keys }));
  mountTelevision(router, { clock, show, sessions, connect: connectTelevision });
  mountOutbox(router, { database, show });
  mountAuthenticator(router, { database, clock, show });

  const app = new Koa();
  app.use(safeHeaders);
  app.use(ownHostOnly(baseUrl));
  app.use(friendlyErrors(show, deps.log ?? (() => {})));
  app.use(ownFormsOnly(baseUrl, ['/backchannel-logout']));
  app.use(router.routes());
  return app;
}

/** The issuer's published keys, looked up when first needed. */
function issuerKeys(jwksUri: () => Promise<string>): JWTVerifyGetKey {
  let remote: ReturnType<typeof createRemoteJWKSet> | undefined;
  return async (header, token) => {
    remote ??= createRemoteJWKSet(new URL(await jwksUri()));
    return remote(header, token);
  };
}
