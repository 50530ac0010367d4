import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database, Unit } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { Announcer } from './announcements.js';
import { hasNotMe, type Notice, type Notifier } from './contract.js';
import { createLane, type Lane } from './lane.js';
import type { Mail, RenderMail, Transport } from './mail.js';
import {
  type ClaimedRow,
  claimed,
  contextOf,
  createOutboxStore,
  type LaneName,
  type OutboxRow,
} from './outbox-store.js';
import { DEFAULT_RETRY, type RetrySchedule, waitAfter } from './retry.js';

export interface OutboxDeps {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  logger: Logger;
  transport: Transport;
  renderMail: RenderMail;
  /** What else is done the same way, by kind: within the house, and as often as it takes. */
  deliver?: Readonly<Record<string, Delivery>>;
  /** What calls elsewhere, by kind. */
  call?: Readonly<Record<string, Delivery>>;
  /** What somebody is waiting for before a page, by kind: sent by others who may be slow, so many at the same time. */
  text?: Readonly<Record<string, Delivery>>;
  /** Makes the "that was not me" link; added to every mail that reports a change. */
  notMeLink?: (accountId: string, notice: Notice, unit?: Unit) => Promise<string>;
  retry?: RetrySchedule;
  /** How long a sender may be silent before another takes its mail. Longer than the transport's own timeouts. */
  leaseSeconds?: number;
  /** The same for everything else, of which a second time does no harm. */
  otherLeaseSeconds?: number;
  /** How often a started worker looks for mails whose time has come. */
  pollMs?: number;
}

/** Throws when the receiver did not take it, so that it is tried again; `code` or `responseCode` of the error is logged. */
export type Delivery = (payload: unknown, attempt: DeliveryAttempt) => Promise<void>;

export interface DeliveryAttempt {
  /** The row in the outbox: stable over retries. */
  id: string;
  /** When this one fails it is given up. */
  isLast: boolean;
}

/** How something is put in the outbox. */
export interface Posting {
  /** Says what it is and for whom: of several with the same id only the first is delivered. Not together with `unit`. */
  id?: string;
  /** Stores it together with what it tells of, or not at all. */
  unit?: Unit;
  /** Not before then: whoever posts it does it, too, unless their node dies. */
  afterSeconds?: number;
}

export type DeadLetter = Pick<OutboxRow, 'accountId' | 'kind' | 'notice' | 'attempts' | 'createdAt'> & {
  id: string;
  reason: string;
};

export interface Outbox extends Notifier, Announcer {
  notify(
    account: Parameters<Notifier['notify']>[0],
    notice: Notice,
    params?: Record<string, string | number>,
    posting?: Posting,
  ): Promise<void>;
  /** Puts something of one of the kinds of `deliver` in the outbox: one insert. */
  enqueue(kind: string, accountId: string, payload: object, posting?: Posting): Promise<void>;
  /** From now on mails are sent, by this process too. Calling it twice changes nothing. */
  start(): void;
  /** Resolves when the mails in hand are settled; the rest stays for the next start. */
  stop(): Promise<void>;
  /** Sends all that is due now; nothing any more once stopped. Never rejects: what fails is logged and tried again. */
  kick(): Promise<void>;
  /** What waits, by lane, and what was given up. */
  depth(): Promise<{ lanes: { lane: string; due: number; firstDueAt?: Date }[]; dead: number }>;
  /** Latest first; without content. */
  deadLetters(limit?: number): Promise<DeadLetter[]>;
  /** Tries a dead letter anew. False when it is none (any more). */
  revive(id: string): Promise<boolean>;
}

/** What one process does at the same time. */
const WIDTHS = { mails: 4, jobs: 2, calls: 4, texts: 128 } as const;

const LANES: readonly (LaneName | undefined)[] = [undefined, 'jobs', 'calls', 'texts'];

/** Error messages of mail servers quote addresses; their codes do not. */
function reasonOf(error: unknown): string {
  const { code, responseCode } = (error ?? {}) as { code?: unknown; responseCode?: unknown };
  const parts = [code, responseCode].filter((part) => typeof part === 'string' || typeof part === 'number');
  return parts.length > 0 ? parts.join(' ') : 'unknown';
}

export function createOutbox(deps: OutboxDeps): Outbox {
  const { clock, random, secretBox, logger, transport, renderMail, notMeLink } = deps;
  const { retry = DEFAULT_RETRY, leaseSeconds = 120, otherLeaseSeconds = 20, pollMs = 5_000 } = deps;
  const store = createOutboxStore(deps.database);

  let timer: NodeJS.Timeout | undefined;

  const deliveries: Record<string, Delivery> = {
    ...deps.deliver,
    ...deps.call,
    ...deps.text,
    mail: (payload, { id }) => transport.send({ id, ...(payload as Omit<Mail, 'id'>) }),
  };

  const laneOf = (kind: string): LaneName | undefined => {
    if (deps.call && kind in deps.call) return 'calls';
    if (deps.text && kind in deps.text) return 'texts';
    return deps.deliver && kind in deps.deliver ? 'jobs' : undefined;
  };

  const enqueue = async (
    row: Pick<OutboxRow, 'accountId' | 'kind' | 'notice'>,
    payload: object,
    { id: given, unit, afterSeconds = 0 }: Posting = {},
  ): Promise<void> => {
    const id = given ?? random.token(128);
    const name = laneOf(row.kind);
    const lane = lanes[name ?? 'mails'];
    const now = clock.now();
    const due = {
      _id: id,
      ...row,
      ...(name ? { lane: name } : {}),
      ...(given === undefined ? {} : { isOnce: true }),
      sealed: secretBox.seal(JSON.stringify(payload), contextOf(id)),
      status: 'due',
      attempts: 0,
      nextAttemptAt: inSeconds(now, afterSeconds),
      createdAt: now,
    } as const;
    // What a transaction stores may never come to be, and what has time is not for now.
    const begin = timer && !unit && afterSeconds === 0 ? lane.hold() : undefined;
    if (begin) {
      const claim = claimed(due, now, lane.leaseSeconds);
      let isStored = false;
      try {
        isStored = await store.insert(claim);
      } finally {
        begin(isStored ? () => deliver(claim) : undefined);
      }
      return;
    }
    await store.insert(due, unit);
    const wake = (): void => {
      if (timer) void lane.kick();
    };
    if (unit) unit.afterCommit(wake);
    else wake();
  };

  async function deliver(claim: ClaimedRow): Promise<void> {
    const about = { id: claim._id, kind: claim.kind, notice: claim.notice, attempt: claim.attempts };
    const wait = waitAfter(claim.attempts, retry);
    try {
      const delivery = deliveries[claim.kind];
      if (!delivery) throw Object.assign(new Error('nobody delivers this kind'), { code: 'UNKNOWN_KIND' });
      const payload: unknown = JSON.parse(secretBox.open(claim.sealed, contextOf(claim._id)).toString());
      await delivery(payload, { id: claim._id, isLast: wait === undefined });
    } catch (error) {
      const reason = reasonOf(error);
      if (wait === undefined) {
        await store.markDead(claim, clock.now(), reason);
        logger.error({ ...about, reason }, 'given up');
      } else {
        await store.markDue(claim, inSeconds(clock.now(), wait), reason);
        logger.warn({ ...about, reason, retryInSeconds: wait }, 'not delivered, will be tried again');
      }
      return;
    }
    await store.markSent(claim, clock.now());
    logger.info(about, 'delivered');
  }

  const createOutboxLane = (name: LaneName | undefined, width: number, lease: number) => ({
    leaseSeconds: lease,
    ...createLane({
      width,
      async take() {
        const claim = await store.claim(name, clock.now(), lease);
        return claim && (() => deliver(claim));
      },
      onFailure: (error) => logger.warn({ reason: reasonOf(error) }, 'outbox out of reach'),
    }),
  });
  const lanes = {
    mails: createOutboxLane(undefined, WIDTHS.mails, leaseSeconds),
    jobs: createOutboxLane('jobs', WIDTHS.jobs, otherLeaseSeconds),
    calls: createOutboxLane('calls', WIDTHS.calls, otherLeaseSeconds),
    texts: createOutboxLane('texts', WIDTHS.texts, otherLeaseSeconds),
  };
  const each = async (work: (one: Lane) => Promise<void> | void): Promise<void> => {
    await Promise.all(Object.values(lanes).map(work));
  };

  return {
    async notify(account, notice, params = {}, posting = {}) {
      if (!account.email) return;
      const notMeHref = notMeLink && hasNotMe(notice) ? await notMeLink(account.id, notice, posting.unit) : undefined;
      const body = await renderMail(notice, {
        name: account.name,
        params,
        ...(account.locale ? { locale: account.locale } : {}),
        ...(notMeHref ? { notMeHref } : {}),
      });
      const { subject, text, html } = body;
      const mail = { to: account.email, subject, text, html };
      await enqueue({ accountId: account.id, kind: 'mail', notice }, mail, posting);
    },

    enqueue: (kind, accountId, payload, posting) => enqueue({ accountId, kind }, payload, posting),

    announce: (announcement, unit) =>
      enqueue({ accountId: announcement.accountId ?? '', kind: 'announcement' }, announcement, unit ? { unit } : {}),

    start() {
      if (timer) return;
      void each((one) => one.open());
      timer = setInterval(() => void each((one) => one.kick()), pollMs);
      timer.unref();
      void each((one) => one.kick());
    },

    async stop() {
      clearInterval(timer);
      timer = undefined;
      await each((one) => one.close());
      transport.close?.();
    },

    async kick() {
      await each((one) => one.kick());
      // What the jobs have left to the others.
      await each((one) => one.kick());
    },

    async depth() {
      const [dead, ...depths] = await Promise.all([
        store.countDead(),
        ...LANES.map(async (name) => ({ lane: name ?? 'mails', ...(await store.depth(name)) })),
      ]);
      return { lanes: depths, dead };
    },

    async deadLetters(limit = 100) {
      const dead = await store.dead(limit);
      return dead.map(({ _id, accountId, kind, notice, attempts, createdAt, lastError }) => ({
        id: _id,
        accountId,
        kind,
        ...(notice ? { notice } : {}),
        attempts,
        createdAt,
        reason: lastError ?? 'unknown',
      }));
    },

    revive: (id) => store.revive(id, clock.now()),
  };
}
