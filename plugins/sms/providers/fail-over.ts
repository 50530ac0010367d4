import type { Logger } from '../../../src/platform/logger.js';
import type { Absences } from './absences.js';
import type { HandOver, Provider, TextMessage } from './provider.js';

/** What became of one message over all providers that were asked. */
export interface Sending {
  handOver: HandOver;
  /** Whose word `handOver` is. */
  provider: string;
  /** Providers that have sent it or may have, in the order they were asked: each may charge for it. */
  mayHaveSent: string[];
}

export interface SendingTerms {
  /** Asked before a further provider, where an earlier one may have sent it already. */
  mayCostMore?(): Promise<boolean>;
}

const NOBODY_ASKED: HandOver = {
  status: 'refused',
  reason: 'provider_trouble',
  code: 'NOBODY_ASKED',
  isAboutNumber: false,
};

/**
 * Hands a message to the first provider that takes it. A refusal about the number ends it; after any other refusal, and
 * where nobody knows what became of it, the next is asked. Who failed is asked last for a while, by all nodes.
 * Never throws; ends within the sum of the providers' timeouts.
 */
export function createFailOver(
  providers: readonly [Provider, ...Provider[]],
  { absences, logger }: { absences: Absences; logger: Logger },
): (message: TextMessage, terms?: SendingTerms) => Promise<Sending> {
  return async (message, { mayCostMore = async () => true } = {}) => {
    const mayHaveSent: string[] = [];
    let best: Sending = { handOver: NOBODY_ASKED, provider: providers[0].name, mayHaveSent };
    for (const provider of await inOrder(providers, absences)) {
      if (mayHaveSent.length > 0 && !(await mayCostMore())) break;
      const { name } = provider;
      const handOver = await provider.send(message);
      if (handOver.status !== 'refused') mayHaveSent.push(name);
      best = better(best, { handOver, provider: name, mayHaveSent });
      if (handOver.status === 'accepted') break;
      logger.warn(
        { provider: name, textMessageId: message.id, status: handOver.status, code: handOver.code },
        'a text message was not taken',
      );
      // Where there is no other, nobody asks.
      if (isTrouble(handOver) && providers.length > 1) await absences.note(name);
      if (isAboutNumber(handOver)) break;
    }
    return best;
  };
}

async function inOrder(providers: readonly Provider[], absences: Absences): Promise<readonly Provider[]> {
  if (providers.length === 1) return providers;
  const away = await absences.among(providers.map(({ name }) => name));
  return [...providers.filter(({ name }) => !away.has(name)), ...providers.filter(({ name }) => away.has(name))];
}

const isTrouble = (handOver: HandOver): boolean =>
  handOver.status === 'unknown' || (handOver.status === 'refused' && handOver.reason === 'provider_trouble');

const isAboutNumber = (handOver: HandOver): boolean => handOver.status === 'refused' && handOver.isAboutNumber;

/** Which of two outcomes tells most: that it was taken, what is wrong with the number, that it may yet arrive, why it was refused. */
const better = (one: Sending, other: Sending): Sending => (weight(one.handOver) > weight(other.handOver) ? one : other);

function weight(handOver: HandOver): number {
  if (handOver.status === 'accepted') return 4;
  if (isAboutNumber(handOver)) return 3;
  if (handOver.status === 'unknown') return 2;
  return isTrouble(handOver) ? 0 : 1;
}
