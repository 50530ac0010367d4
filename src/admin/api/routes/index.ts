/** The rows of the management API, one file per kind of thing. */
import type { Route } from '../route.js';
import type { ApiServices } from '../services.js';
import { accessPassRoutes } from './access-passes.js';
import { accountRoutes } from './accounts.js';
import { auditEventRoutes } from './audit-events.js';
import { clientRoutes } from './clients.js';
import { factorRoutes } from './factors.js';
import { meRoutes } from './me.js';
import { recoveryRequestRoutes } from './recovery-requests.js';
import { reportRoutes } from './reports.js';
import { roleRoutes } from './roles.js';
import { sessionRoutes } from './sessions.js';
import { smsRoutes } from './sms.js';
import { suspensionRoutes } from './suspensions.js';
import { webhookRoutes } from './webhooks.js';

export const allRoutes = (services: ApiServices): Route[] => [
  ...meRoutes(services),
  ...accountRoutes(services),
  ...roleRoutes(services),
  ...factorRoutes(services),
  ...accessPassRoutes(services),
  ...recoveryRequestRoutes(services),
  ...suspensionRoutes(services),
  ...sessionRoutes(services),
  ...clientRoutes(services),
  ...auditEventRoutes(services),
  ...reportRoutes(services),
  ...smsRoutes(services),
  ...webhookRoutes(services),
];
