import type { DeliveryControl, FactorDeps } from '../../src/factors/contract.js';
import { createAlert } from './alerts.js';
import { createBudget } from './budget.js';
import type { SmsOptions } from './config.js';
import { createConversion } from './conversion.js';
import { type Countries, createCountries } from './countries.js';
import { createDeliver, type Parcel } from './deliver.js';
import { createLimits } from './limits.js';
import { createMessages } from './messages.js';
import type { Providers } from './providers/index.js';
import { createReceive } from './receipts.js';
import { createDeliveryControl } from './report.js';
import type { Sender } from './sender.js';
import { createUsage } from './usage.js';

/** What lies between the wish for a message and its end, put together. */
export function createSending(
  options: SmsOptions,
  deps: Omit<FactorDeps, 'factors'> & { providers: Providers },
): { sender: Sender; countries: Countries; delivery: DeliveryControl } {
  const { logger, post } = deps;
  const countries = createCountries(options, deps);
  const budget = createBudget(options, { ...deps, alert: createAlert(deps) });
  const limits = createLimits(options, { ...deps, budget });
  const conversion = createConversion(options, { ...deps, countries });
  const usage = createUsage(deps);
  const messages = createMessages(deps);
  const parts = { ...deps, countries, budget, conversion, usage, messages };

  const isOpen = async (country: string): Promise<boolean> => (await countries.state(country))?.isOpen === true;

  /** As far as that is possible: what has hindered the message may hinder this, too. */
  const withdraw = async (messageId: string): Promise<void> => {
    try {
      const message = await messages.withdrawn(messageId);
      if (message) await budget.giveBack(message.day, message.country, message.amount);
    } catch (err) {
      logger.error({ err, textMessageId: messageId }, 'a text message was neither sent nor withdrawn');
    }
  };

  const sender: Sender = {
    async order(order, remember) {
      const { accountId, purpose, country, number, text } = order;
      if (!(await isOpen(country))) return { status: 'refused', reason: 'not_served' };
      const admission = await limits.admit(order);
      if (admission.status === 'refused') return admission;
      const { day } = admission;
      const amount = budget.priceOf(country);
      const messageId = messages.newId();
      try {
        await Promise.all([
          messages.insert(messageId, { accountId, purpose, country, day, amount }),
          remember?.(messageId),
          budget.counted(day, country),
        ]);
        await post(accountId, { messageId, to: number, text } satisfies Parcel);
      } catch (error) {
        await withdraw(messageId);
        throw error;
      }
      return { status: 'sent', messageId };
    },

    async notify({ accountId, country, number, text }, unit) {
      const amount = budget.priceOf(country);
      const messageId = messages.newId();
      await messages.insert(messageId, { accountId, purpose: 'notice', country, day: budget.today(), amount }, unit);
      await post(accountId, { messageId, to: number, text } satisfies Parcel, unit);
    },

    deliver: createDeliver(parts),
    receive: createReceive(parts),
    find: messages.find,
    againAt: limits.againAt,

    async used(accountId, messageId) {
      const message = await messages.used(messageId, accountId);
      if (!message) return;
      const { day, country } = message;
      await Promise.all([usage.count({ day, country }, { used: 1 }), limits.endCoolDown(accountId)]);
    },

    async obstacle(country) {
      if (!(await isOpen(country))) return { reason: 'not_served' };
      return (await budget.hasRoom(country)) ? undefined : { reason: 'out_of_service' };
    },
  };
  return { sender, countries, delivery: createDeliveryControl(options, parts) };
}
