import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import { CODE_TTL_SECONDS } from './code.js';
import { messageCollection, type SmsMessage } from './documents.js';
import type { FailureReason } from './providers/index.js';

/** How long it is known what became of a message; its number and text are gone with its delivery. */
const KEPT_SECONDS = 90 * 86_400;

export type NewMessage = Pick<SmsMessage, 'accountId' | 'purpose' | 'country' | 'day' | 'amount'>;

/** The transitions of a message, each one conditional update: every count that follows from one is made once. */
export function createMessages({ clock, database, random }: Pick<FactorDeps, 'clock' | 'database' | 'random'>) {
  const messages = messageCollection(database);
  const after = { returnDocument: 'after' } as const;
  /** Was it so? The message as it was counted, or null. */
  const move = (
    filter: Record<string, unknown>,
    set: Partial<SmsMessage>,
    unset?: Record<string, ''>,
  ): Promise<SmsMessage | null> =>
    messages.findOneAndUpdate(filter, { $set: set, ...(unset ? { $unset: unset } : {}) }, after);

  return {
    newId: (): string => random.token(128),

    async insert(id: string, message: NewMessage, unit?: Unit): Promise<void> {
      const now = clock.now();
      await messages.insertOne(
        { _id: id, ...message, status: 'queued', createdAt: now, expiresAt: inSeconds(now, KEPT_SECONDS) },
        unit ? { session: unit.session } : {},
      );
    },

    /** Nobody will carry it: it could not be put in the outbox, or what its code is checked against could not be kept. */
    withdrawn: (id: string): Promise<SmsMessage | null> =>
      move({ _id: id, status: 'queued' }, { status: 'failed', reason: 'provider_trouble', code: 'NOT_POSTED' }),

    find: async (id: string): Promise<SmsMessage | undefined> => (await messages.findOne({ _id: id })) ?? undefined,

    /** To a provider, once; a notice as often as it takes. Null: it was given already, or its code has run out. */
    begin: (id: string): Promise<SmsMessage | null> =>
      move(
        {
          _id: id,
          $or: [
            { status: 'queued', createdAt: { $gt: inSeconds(clock.now(), -CODE_TTL_SECONDS) } },
            { status: { $in: ['queued', 'sending'] }, purpose: 'notice' },
          ],
        },
        { status: 'sending' },
      ),

    /** A provider took it; what its callback said meanwhile stays. False: it was given up before. */
    async taken(
      id: string,
      by: Pick<SmsMessage, 'provider' | 'providerMessageId'>,
      isDelivered: boolean,
    ): Promise<boolean> {
      const taken = await move({ _id: id, sentAt: { $exists: false } }, { ...by, sentAt: clock.now() });
      await move({ _id: id, status: 'sending' }, { status: isDelivered ? 'delivered' : 'sent' });
      return taken !== null;
    },

    /** @param mayArrive a provider may have sent it all the same. */
    failed: (
      id: string,
      how: { reason: FailureReason; code: string; provider?: string },
      mayArrive?: true,
    ): Promise<SmsMessage | null> =>
      move(
        { _id: id, status: { $in: ['queued', 'sending'] } },
        { status: 'failed', ...how, ...(mayArrive ? { sentAt: clock.now(), mayArrive } : {}) },
      ),

    /** What a callback says. Null: known already, or overtaken by what came after it. */
    reportedSent: (id: string) => move({ _id: id, status: 'sending' }, { status: 'sent' }),
    reportedDelivered: (id: string) => move({ _id: id, status: { $in: ['sending', 'sent'] } }, { status: 'delivered' }),
    /** Nobody had heard of it in time. */
    reportedAfterAll: (id: string, status: 'sent' | 'delivered') =>
      move({ _id: id, status: 'failed', mayArrive: true }, { status }, { reason: '', code: '', mayArrive: '' }),
    reportedFailed: (id: string, reason: FailureReason, code: string | undefined) =>
      move({ _id: id, status: { $in: ['sending', 'sent'] } }, { status: 'failed', reason, ...(code ? { code } : {}) }),

    /** Its code was typed. Null: it was counted, or is another account's. */
    used: (id: string, accountId: string) =>
      move({ _id: id, accountId, usedAt: { $exists: false } }, { usedAt: clock.now() }),
  };
}

export type Messages = ReturnType<typeof createMessages>;
