import type { FactorDeps } from '../../src/factors/contract.js';
import { CODE_TTL_SECONDS } from './code.js';
import type { SmsMessage } from './documents.js';
import type { Sender } from './sender.js';

/** Longer than a provider takes, shorter than anybody waits without a word. */
const SLOW_AFTER_MS = 4_000;

/** What a page says about the message on its way. */
export interface ShownMessage {
  state: 'sending' | 'slow' | 'sent' | 'delivered' | 'failed';
  reason?: SmsMessage['reason'];
  sentAt: Date;
}

/** The last message and when the next can be asked for. */
export async function showMessage(
  { clock, sender }: Pick<FactorDeps, 'clock'> & { sender: Sender },
  accountId: string,
  messageId: string | undefined,
): Promise<{ message?: ShownMessage; againAt?: Date }> {
  const [message, againAt] = await Promise.all([
    messageId ? sender.find(messageId) : undefined,
    sender.againAt(accountId),
  ]);
  return {
    ...(message ? { message: shown(message, clock.now()) } : {}),
    ...(againAt ? { againAt } : {}),
  };
}

function shown({ status, reason, createdAt, mayArrive }: SmsMessage, now: Date): ShownMessage {
  const age = now.getTime() - createdAt.getTime();
  const sentAt = createdAt;
  // Nobody has heard of it: it may come all the same, as long as its code is worth anything.
  if (mayArrive && age < CODE_TTL_SECONDS * 1000) return { state: 'slow', sentAt };
  if (status === 'queued' || status === 'sending') return { state: age < SLOW_AFTER_MS ? 'sending' : 'slow', sentAt };
  return { state: status, ...(reason ? { reason } : {}), sentAt };
}
