/** The administrators' console: a relying application of our own issuer that does everything through the management API. */
import type { RequestListener } from 'node:http';
import type { EventStreams, Web } from '../../http/index.js';
import type { ChangeWatcher } from '../../platform/change-watcher.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import type { Logger } from '../../platform/logger.js';
import type { Random } from '../../platform/random.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { mountAccountActions } from './account-actions.js';
import { createAdministrators } from './administrators.js';
import { mountAudit } from './audit-page.js';
import { mountClients } from './client-pages.js';
import { createDepartures } from './departures.js';
import type { Console } from './desk.js';
import { createInProcessFetch } from './in-process-fetch.js';
import { mountOverview } from './overview-page.js';
import { mountPeople } from './people-page.js';
import { mountProfile } from './profile-page.js';
import { mountQueue } from './queue-page.js';
import { createRelyingParty } from './relying-party.js';
import { mountRequest } from './request-page.js';
import { mountSignInPages } from './sign-in-pages.js';
import { mountSms } from './sms-pages.js';
import { createWebSessions } from './web-sessions.js';

export { CONSOLE_CLIENT_ID, consoleClient } from './console-client.js';
export { ensureIndexes, SEALED } from './web-sessions.js';

export interface ConsoleDeps {
  issuer: string;
  trustedProxyHops: number;
  /** The server's own request handler, for calls within the process; asked for once the server is whole. */
  handler(): RequestListener;
  /** Of `consoleClient`. */
  clientSecret: string;
  web: Pick<Web, 'pages' | 'presenter' | 'cookies' | 'url'>;
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  logger: Logger;
  watcher: Pick<ChangeWatcher, 'onAny'>;
  eventStreams: EventStreams;
  suspensionHours: readonly number[];
  /** Where text messages can go; absent where they are not among the login methods. */
  smsCountries?: readonly string[];
}

export function mountConsole(deps: ConsoleDeps): void {
  const { issuer, clock, random, suspensionHours, smsCountries } = deps;
  const { pages, presenter, cookies, url } = deps.web;
  const sessions = createWebSessions({ ...deps, cookies });
  const administrators = createAdministrators({
    issuer,
    clock,
    sessions,
    departures: createDepartures({ ...deps, cookies }),
    relyingParty: createRelyingParty({ issuer, secret: deps.clientSecret, clock }),
    fetchFor: createInProcessFetch(deps),
  });
  const desk: Console = {
    pages,
    presenter,
    administrators,
    sessions,
    clock,
    random,
    issuer,
    url,
    ...(smsCountries ? { smsCountries } : {}),
  };
  mountSignInPages(desk, deps.logger);
  mountQueue(desk, deps);
  mountRequest(desk, { suspensionHours });
  mountPeople(desk);
  mountAccountActions(desk, { suspensionHours });
  mountProfile(desk, { suspensionHours });
  mountOverview(desk);
  mountSms(desk);
  mountAudit(desk);
  mountClients(desk);
}
