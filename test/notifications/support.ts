import { createOutbox, type Mail, type OutboxDeps, type Transport } from '../../src/notifications/index.js';
import type { Database } from '../../src/platform/database.js';
import { createLogger } from '../../src/platform/logger.js';
import { systemRandom } from '../../src/platform/random.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { FakeClock } from '../support/clock.js';

/** A transport that remembers, and fails or waits when told to. */
export class CaptureTransport implements Transport {
  readonly sent: Mail[] = [];
  attempts = 0;
  failure: Error | undefined;
  before: (mail: Mail) => Promise<void> = async () => {};
  async send(mail: Mail): Promise<void> {
    this.attempts += 1;
    await this.before(mail);
    if (this.failure) throw this.failure;
    this.sent.push(mail);
  }
}

export const secretBox = createSecretBox([{ id: 'k1', key: systemRandom.bytes(32) }], systemRandom.bytes(32));

export const ANNA = { id: 'acc_anna', name: 'Anna', email: 'anna@example.com' };

export function outboxOn(database: Database, overrides: Partial<OutboxDeps> = {}) {
  const clock = new FakeClock();
  const transport = new CaptureTransport();
  const outbox = createOutbox({
    database,
    clock,
    random: systemRandom,
    secretBox,
    logger: createLogger('silent'),
    transport,
    renderMail: (notice, { name, params, notMeHref }) => ({
      subject: `${notice} for ${name}`,
      text: [JSON.stringify(params), notMeHref].filter(Boolean).join('\n'),
      html: `<p>${notice}</p>`,
    }),
    ...overrides,
  });
  return { outbox, clock, transport };
}
