import { createImporter, type Importer, type Passwords } from '../../accounts/index.js';
import type { AuditLog } from '../../audit/contract.js';
import { coverageOf, type Engine, type FactorRecord } from '../../factors/index.js';
import { type Announcer, factsOf } from '../../notifications/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import type { Random } from '../../platform/random.js';
import type { WebhookService } from '../../webhooks/index.js';

const OPERATOR = { type: 'operator' } as const;

/** Takes accounts over from other systems, with the login methods that they bring along. */
export const createImports =
  (deps: {
    database: Database;
    clock: Clock;
    random: Random;
    passwords: Passwords;
    audit: AuditLog;
    engine: Pick<Engine, 'adopt' | 'keepAdopted' | 'heldElsewhere'>;
    webhooks: Pick<WebhookService, 'isListening'>;
    announcer: Announcer;
  }) =>
  /** @param source what the other system is called. */
  async (source: string): Promise<Importer> => {
    const { announcer, clock, engine, webhooks } = deps;
    return createImporter({
      ...deps,
      source,
      adoption: {
        async adopt(accountId, wanted) {
          const { methods, ...adopted } = await engine.adopt(accountId, wanted);
          return { ...adopted, coverage: coverageOf(methods) };
        },
        insert: (records, unit) => engine.keepAdopted(records as FactorRecord[], unit),
        held: (records) => engine.heldElsewhere(records as FactorRecord[]),
      },
      // A hundred thousand announcements are not made for nobody.
      ...((await webhooks.isListening('account.created'))
        ? {
            announce: (accountId, unit) =>
              announcer.announce(
                {
                  type: 'account_created',
                  accountId,
                  at: clock.now().toISOString(),
                  facts: factsOf({}, OPERATOR),
                },
                unit,
              ),
          }
        : {}),
    });
  };
