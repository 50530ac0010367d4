import type { Outbox } from '../notifications/index.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Resolve } from '../platform/public-addresses.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import { createAddressRules } from './addresses.js';
import type { Webhooks } from './contract.js';
import { createDeliveries } from './deliveries.js';
import { createEndpoints } from './endpoints.js';

/** The contract, and what the outbox drives. */
export type WebhookService = Webhooks &
  Pick<ReturnType<typeof createDeliveries>, 'publish' | 'deliver' | 'isListening'>;

export function createWebhooks(deps: {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  outbox: Pick<Outbox, 'enqueue'>;
  issuer: string;
  /** Origins that are reached wherever they are. */
  privateOrigins: readonly string[];
  /** What names lead to; the system's answer, unless a test knows better. */
  resolve?: Resolve;
}): WebhookService {
  const parts = { ...deps, addresses: createAddressRules(deps) };
  return { ...createEndpoints(parts), ...createDeliveries(parts) };
}
