import type { Callback } from '../../src/factors/contract.js';
import type { Messages } from './messages.js';
import type { Providers } from './providers/index.js';
import type { Usage } from './usage.js';

/** What providers report about the messages that they took, in whatever order it arrives, and however often. */
export function createReceive({
  messages,
  providers,
  usage,
}: {
  messages: Messages;
  providers: Providers;
  usage: Usage;
}) {
  return async ({ service, id, url, headers, body }: Callback): Promise<'accepted' | 'forged' | 'unknown'> => {
    const read = providers.find(service)?.readCallback;
    if (!read) return 'unknown';
    const receipt = await read({ messageId: id, url, headers, body });
    // Before anybody learns whether there is such a message.
    if (receipt === 'forged') return 'forged';
    const message = await messages.find(id);
    if (!message || message.status === 'queued' || (message.provider !== undefined && message.provider !== service))
      return 'unknown';
    if (!receipt) return 'accepted';
    const { day, country } = message;
    switch (receipt.status) {
      case 'sent':
        if (!(await messages.reportedSent(id)) && (await messages.reportedAfterAll(id, 'sent')))
          await usage.count({ day, country }, { sent: 1, failed: -1 });
        break;
      case 'delivered':
        if (await messages.reportedDelivered(id)) await usage.count({ day, country }, { delivered: 1 });
        else if (await messages.reportedAfterAll(id, 'delivered'))
          await usage.count({ day, country }, { sent: 1, delivered: 1, failed: -1 });
        break;
      case 'failed':
        if (await messages.reportedFailed(id, receipt.reason ?? 'provider_trouble', receipt.code))
          await usage.count({ day, country }, { failed: 1 });
    }
    return 'accepted';
  };
}
