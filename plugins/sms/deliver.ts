import type { Budget } from './budget.js';
import type { Conversion } from './conversion.js';
import type { SmsMessage } from './documents.js';
import type { Messages } from './messages.js';
import type { Providers } from './providers/index.js';
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
}

/**
 * Gives a message to a provider. A code at most once, whatever happens to the node: late or twice it would do more harm than good,
 * and the person has a button. A notice until it is taken.
 */
export function createDeliver({ budget, conversion, messages, providers, usage }: DeliveryDeps) {
  /** @param charged how many providers may ask money for it. */
  const notSent = async (
    message: SmsMessage,
    how: Parameters<Messages['failed']>[1],
    charged: number,
  ): Promise<boolean> => {
    const { _id, day, country, amount } = message;
    if (!(await messages.failed(_id, how, charged > 0 ? true : undefined))) return false;
    await usage.count({ day, country }, { failed: 1, amount: amount * charged });
    return true;
  };

  const carry = async (message: SmsMessage, { messageId: id, to, text }: Parcel, isLast: boolean): Promise<void> => {
    const { day, country, amount } = message;
    const isCode = message.purpose !== 'notice';
    /** The days on which the budget has counted it. */
    const counted = isCode ? [day] : [];
    const { handOver, provider, mayHaveSent } = await providers.send(
      { id, to, text },
      {
        // Who is asked after one that may have sent it charges, too.
        async mayCostMore() {
          const taken = isCode ? await budget.take(country) : undefined;
          if (taken) counted.push(taken);
          return !isCode || taken !== undefined;
        },
      },
    );
    const charged = mayHaveSent.length;
    if (!isCode) await budget.add(country, charged);
    for (const unused of counted.slice(charged)) await budget.giveBack(unused, country, amount);

    if (handOver.status === 'accepted') {
      const { providerMessageId, isDelivered = false } = handOver;
      const by = { provider, ...(providerMessageId ? { providerMessageId } : {}) };
      if (!(await messages.taken(id, by, isDelivered))) return;
      await usage.count(
        { day, country },
        { sent: 1, amount: amount * charged, ...(isDelivered ? { delivered: 1 } : {}) },
      );
      return conversion.check(country);
    }
    const reason = handOver.status === 'refused' ? handOver.reason : 'provider_trouble';
    if (!isCode && reason === 'provider_trouble' && !isLast) {
      await usage.count({ day, country }, { amount: amount * charged });
      throw Object.assign(new Error('no provider took it'), { code: handOver.code });
    }
    await notSent(message, { reason, code: handOver.code, provider }, charged);
  };

  return async (payload: unknown, { isLast }: { isLast: boolean }): Promise<void> => {
    const parcel = payload as Parcel;
    const message = await messages.begin(parcel.messageId);
    if (message) return carry(message, parcel, isLast);
    const left = await messages.find(parcel.messageId);
    if (!left) return;
    // Its node died with it in hand, or it waited for longer than its code lives.
    const mayHaveGone = left.status === 'sending';
    const isGivenUp = await notSent(left, { reason: 'provider_trouble', code: 'LEFT_BEHIND' }, mayHaveGone ? 1 : 0);
    if (isGivenUp && !mayHaveGone) await budget.giveBack(left.day, left.country, left.amount);
  };
}
