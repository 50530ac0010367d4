import type { FactorDeps } from '../../src/factors/contract.js';
import type { Budget } from './budget.js';
import type { Conversion } from './conversion.js';
import type { SmsMessage } from './documents.js';
import type { Messages } from './messages.js';
import type { Providers, Sending } from './providers/index.js';
import type { Usage } from './usage.js';

/** What stands in the outbox, sealed, until it is delivered. */
export interface Parcel {
  messageId: string;
  to: string;
  text: string;
}

export interface DeliveryDeps {
  providers: Providers;
  messages: Messages;
  budget: Budget;
  usage: Usage;
  conversion: Conversion;
  announcer: FactorDeps['announcer'];
  audit: FactorDeps['audit'];
  clock: FactorDeps['clock'];
  logger: FactorDeps['logger'];
}

/**
 * Gives a message to a provider. A code at most once, whatever happens to the node: late or twice it would do more harm than good,
 * and the person has a button. A notice until it is taken.
 */
export function createDeliver(deps: DeliveryDeps) {
  const { budget, conversion, messages, providers, usage } = deps;

  const notSent = async (
    message: SmsMessage,
    how: Parameters<Messages['failed']>[1],
    mayArrive: boolean,
  ): Promise<void> => {
    if (!(await messages.failed(message._id, how, mayArrive))) return;
    const { day, country, amount } = message;
    await usage.count({ day, country }, { failed: 1, ...(mayArrive ? { amount } : {}) });
    if (!mayArrive && message.purpose !== 'notice') await budget.giveBack(day, country);
  };

  /** Codes that go nowhere are bought by somebody: see `createConversion`. */
  const watchConversion = async ({ country }: SmsMessage): Promise<void> => {
    if (!(await conversion.check(country))) return;
    await deps.audit.record({
      type: 'sms_country_closed',
      actor: { type: 'system' },
      details: { country, because: 'conversion' },
    });
    await deps.announcer.announce({
      type: 'sms_country_closed',
      at: deps.clock.now().toISOString(),
      facts: { country },
    });
  };

  const settle = async (message: SmsMessage, { handOver, provider, mayHaveSent }: Sending, isLast: boolean) => {
    const { day, country, amount } = message;
    // Each of them may charge for it.
    await budget.add(country, mayHaveSent.length - (message.purpose === 'notice' ? 0 : 1));
    if (handOver.status === 'accepted') {
      const { providerMessageId, isDelivered = false } = handOver;
      await messages.taken(message._id, { provider, ...(providerMessageId ? { providerMessageId } : {}) }, isDelivered);
      await usage.count(
        { day, country },
        { sent: 1, amount: amount * mayHaveSent.length, ...(isDelivered ? { delivered: 1 } : {}) },
      );
      return watchConversion(message);
    }
    const reason = handOver.status === 'refused' ? handOver.reason : 'provider_trouble';
    if (message.purpose === 'notice' && reason === 'provider_trouble' && !isLast)
      throw Object.assign(new Error('no provider took it'), { code: handOver.code });
    await notSent(message, { reason, code: handOver.code, provider }, mayHaveSent.length > 0);
  };

  return async (payload: unknown, { isLast }: { isLast: boolean }): Promise<void> => {
    const { messageId, to, text } = payload as Parcel;
    const message = await messages.begin(messageId);
    if (message) return settle(message, await providers.send({ id: messageId, to, text }), isLast);
    const left = await messages.find(messageId);
    // Its node died with it in hand, or it waited for longer than its code lives.
    if (left) await notSent(left, { reason: 'provider_trouble', code: 'LEFT_BEHIND' }, left.status === 'sending');
  };
}
