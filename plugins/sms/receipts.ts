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
    if (!receipt) return (await messages.isGivenTo(id, service)) ? 'accepted' : 'unknown';
    const { status, code } = receipt;
    const reported = await messages.reported(id, service, {
      status,
      ...(status === 'failed' ? { reason: receipt.reason ?? 'provider_trouble', ...(code ? { code } : {}) } : {}),
    });
    if (!reported) return 'unknown';
    const { message, isNews, wasGivenUp } = reported;
    const counts = {
      ...(status === 'sent' ? {} : { [status]: 1 }),
      // It was counted as failed, and by nobody as sent.
      ...(wasGivenUp ? { sent: 1, failed: -1 } : {}),
    };
    if (isNews && Object.keys(counts).length > 0) await usage.count(message, counts);
    return 'accepted';
  };
}
