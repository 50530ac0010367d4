/** The rows of the management API, one file per kind of thing. */
import type { Route } from '../route.js';
import type { ApiServices } from '../services.js';
import { accountRoutes } from './accounts.js';
import { meRoutes } from './me.js';
import { recoveryRequestRoutes } from './recovery-requests.js';
import { suspensionRoutes } from './suspensions.js';

export const allRoutes = (services: ApiServices): Route[] => [
  ...meRoutes(services),
  ...accountRoutes(services),
  ...recoveryRequestRoutes(services),
  ...suspensionRoutes(services),
];
