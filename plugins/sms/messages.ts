import { type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import type { Unit } from '../../src/platform/database.js';
import { CODE_TTL_SECONDS } from './code.js';
import { messageCollection, type SmsMessage } from './documents.js';
import type { FailureReason, Receipt } from './providers/index.js';

/** How long it is known what became of a message; its number and text are gone with its delivery. */
const KEPT_SECONDS = 90 * 86_400;

export type NewMessage = Pick<SmsMessage, 'accountId' | 'purpose' | 'country' | 'day' | 'amount'>;

/** What a provider says became of a message. */
type Report = Pick<Receipt, 'status' | 'reason' | 'code'>;

export interface Reported {
  message: SmsMessage;
  /** It was something new. */
  isNews: boolean;
  /** Nobody had heard of it in time. */
  wasGivenUp: boolean;
}

/** What each report can follow on. */
const OPEN_TO: Readonly<Record<Report['status'], readonly SmsMessage['status'][]>> = {
  sent: ['sending'],
  delivered: ['sending', 'sent'],
  failed: ['sending', 'sent'],
};

/** A failure that was only supposed is overtaken by better news. */
const mayArrive = (status: Report['status']) =>
  status === 'failed' ? false : { $and: [{ $eq: ['$status', 'failed'] }, { $eq: ['$mayArrive', true] }] };

/** Its answer, with the name, may arrive after its callback. */
const givenTo = (id: string, provider: string) => ({
  _id: id,
  status: { $ne: 'queued' as const },
  $or: [{ provider }, { provider: { $exists: false } }],
});

/** The transitions of a message, each one conditional update: every count that follows from one is made once. */
export function createMessages({ clock, database, random }: Pick<FactorDeps, 'clock' | 'database' | 'random'>) {
  const messages = messageCollection(database);
  /** Was it so? The message as it was counted, or null. */
  const move = (filter: Record<string, unknown>, set: Partial<SmsMessage>): Promise<SmsMessage | null> =>
    messages.findOneAndUpdate(filter, { $set: set }, { returnDocument: 'after' });

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
      { provider, providerMessageId }: Pick<SmsMessage, 'provider' | 'providerMessageId'>,
      isDelivered: boolean,
    ): Promise<boolean> {
      const status = isDelivered ? 'delivered' : 'sent';
      const { modifiedCount } = await messages.updateOne({ _id: id, sentAt: { $exists: false } }, [
        {
          $set: {
            provider: { $literal: provider },
            ...(providerMessageId === undefined ? {} : { providerMessageId: { $literal: providerMessageId } }),
            sentAt: clock.now(),
            status: { $cond: [{ $eq: ['$status', 'sending'] }, status, '$status'] },
          },
        },
      ]);
      return modifiedCount === 1;
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

    /** Whether a provider may know of it. */
    isGivenTo: async (id: string, provider: string): Promise<boolean> =>
      (await messages.findOne(givenTo(id, provider), { projection: { _id: 1 } })) !== null,

    /**
     * What a callback says; nothing changes where that is known already, or overtaken by what came after it.
     * @returns as it was before; undefined where a provider of this name cannot know of it.
     */
    async reported(id: string, provider: string, report: Report): Promise<Reported | undefined> {
      const { status, reason, code } = report;
      const changes = { $or: [{ $in: ['$status', OPEN_TO[status]] }, mayArrive(status)] };
      const changed = (field: string, value: string | undefined) => ({
        $cond: [changes, value === undefined ? '$$REMOVE' : { $literal: value }, field],
      });
      const before = await messages.findOneAndUpdate(
        givenTo(id, provider),
        [
          {
            $set: {
              status: changed('$status', status),
              reason: changed('$reason', reason),
              code: changed('$code', code),
              mayArrive: changed('$mayArrive', undefined),
            },
          },
        ],
        { returnDocument: 'before' },
      );
      if (!before) return undefined;
      const wasGivenUp = status !== 'failed' && before.status === 'failed' && before.mayArrive === true;
      return { message: before, wasGivenUp, isNews: wasGivenUp || OPEN_TO[status].includes(before.status) };
    },

    /** Its code was typed. Null: it was counted, or is another account's. */
    used: (id: string, accountId: string) =>
      move({ _id: id, accountId, usedAt: { $exists: false } }, { usedAt: clock.now() }),
  };
}

export type Messages = ReturnType<typeof createMessages>;
