import type { LookupAddress } from 'node:dns';
import type { Announcement } from '../../src/notifications/index.js';
import type { Database } from '../../src/platform/database.js';
import { systemRandom } from '../../src/platform/random.js';
import { createWebhooks, type WebhookService } from '../../src/webhooks/index.js';
import { outboxOn, secretBox } from '../notifications/support.js';
import type { FakeClock } from '../support/clock.js';

/** Webhooks with the outbox that carries them: one node. */
export function webhooksOn(
  database: Database,
  options: { privateOrigins?: string[]; issuer?: string; clock?: FakeClock; addresses?: LookupAddress[] } = {},
) {
  const { privateOrigins = [], issuer = 'https://id.example', clock: given, addresses } = options;
  const { outbox, clock } = outboxOn(database, {
    ...(given ? { clock: given } : {}),
    call: { webhook: (payload, attempt) => webhooks.deliver(payload, attempt) },
  });
  const own = given ?? clock;
  const webhooks: WebhookService = createWebhooks({
    database,
    clock: own,
    random: systemRandom,
    secretBox,
    outbox,
    issuer,
    privateOrigins,
    ...(addresses ? { resolve: (_name, _options, callback) => callback(null, addresses) } : {}),
  });
  return { webhooks, outbox, clock: own };
}

export const APPROVED: Announcement = {
  type: 'recovery_request_approved',
  accountId: 'acc_anna',
  at: '2026-11-23T09:00:00.000Z',
  facts: { requestId: 'req_1', suspensionId: 'sus_1', until: '2026-11-24T09:00:00.000Z', hours: 24 },
};
