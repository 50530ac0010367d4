import { type Clock, inSeconds } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { Notice, Notifier } from './contract.js';
import type { Mail, RenderMail, Transport } from './mail.js';
import { type ClaimedRow, createOutboxStore, type OutboxRow } from './outbox-store.js';
import { DEFAULT_RETRY, type RetrySchedule, waitAfter } from './retry.js';

export interface OutboxDeps {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  logger: Logger;
  transport: Transport;
  renderMail: RenderMail;
  /** What else is delivered the same way, by kind: throws when the receiver did not take it. */
  deliver?: Readonly<Record<string, (payload: unknown) => Promise<void>>>;
  /** Makes the "that was not me" link; added to every mail that reports a change. */
  notMeLink?: (accountId: string, notice: Notice) => Promise<string>;
  retry?: RetrySchedule;
  /** How long a sender may be silent before another takes its mail. Longer than the transport's own timeouts. */
  leaseSeconds?: number;
  /** How often a started worker looks for mails whose time has come. */
  pollMs?: number;
}

export type DeadLetter = Pick<OutboxRow, 'accountId' | 'kind' | 'notice' | 'attempts' | 'createdAt'> & {
  id: string;
  reason: string;
};

export interface Outbox extends Notifier {
  /** Puts something of one of the kinds of `deliver` in the outbox: one insert. */
  enqueue(kind: string, accountId: string, payload: object): Promise<void>;
  /** From now on mails are sent, by this process too. Calling it twice changes nothing. */
  start(): void;
  /** Resolves when the mails in hand are settled; the rest stays for the next start. */
  stop(): Promise<void>;
  /** Sends all that is due now; nothing any more once stopped. Never rejects: what fails is logged and tried again. */
  kick(): Promise<void>;
  /** Latest first; without content. */
  deadLetters(limit?: number): Promise<DeadLetter[]>;
  /** Tries a dead letter anew. False when it is none (any more). */
  revive(id: string): Promise<boolean>;
}

/** Mails that carry a link of their own and answer something the person just did: "not me" would say nothing more there. */
const WITHOUT_NOT_ME: ReadonlySet<Notice> = new Set(['invitation', 'password_reset', 'confirm_email']);

/** Mails sent at the same time by one process. */
const LANES = 4;

/** Error messages of mail servers quote addresses; their codes do not. */
function reasonOf(error: unknown): string {
  const { code, responseCode } = (error ?? {}) as { code?: unknown; responseCode?: unknown };
  const parts = [code, responseCode].filter((part) => typeof part === 'string' || typeof part === 'number');
  return parts.length > 0 ? parts.join(' ') : 'unknown';
}

export function createOutbox(deps: OutboxDeps): Outbox {
  const { clock, random, secretBox, logger, transport, renderMail, notMeLink } = deps;
  const { retry = DEFAULT_RETRY, leaseSeconds = 120, pollMs = 5_000 } = deps;
  const store = createOutboxStore(deps.database);
  const contextOf = (id: string): string => `outbox/${id}`;

  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let running: Promise<void> | undefined;
  let again = false;

  const deliveries: Record<string, (payload: unknown, id: string) => Promise<void>> = {
    ...deps.deliver,
    mail: (payload, id) => transport.send({ id, ...(payload as Omit<Mail, 'id'>) }),
  };

  const enqueue = async (row: Pick<OutboxRow, 'accountId' | 'kind' | 'notice'>, payload: object): Promise<void> => {
    const id = random.token(128);
    const now = clock.now();
    await store.insert({
      _id: id,
      ...row,
      sealed: secretBox.seal(JSON.stringify(payload), contextOf(id)),
      status: 'due',
      attempts: 0,
      nextAttemptAt: now,
      createdAt: now,
    });
    if (timer) void kick();
  };

  async function deliver(claim: ClaimedRow): Promise<void> {
    const about = { id: claim._id, kind: claim.kind, notice: claim.notice, attempt: claim.attempts };
    try {
      const delivery = deliveries[claim.kind];
      if (!delivery) throw Object.assign(new Error('nobody delivers this kind'), { code: 'UNKNOWN_KIND' });
      await delivery(JSON.parse(secretBox.open(claim.sealed, contextOf(claim._id)).toString()), claim._id);
    } catch (error) {
      const reason = reasonOf(error);
      const wait = waitAfter(claim.attempts, retry);
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

  async function lane(): Promise<void> {
    while (!stopping) {
      const claim = await store.claim(clock.now(), leaseSeconds);
      if (!claim) return;
      await deliver(claim);
    }
  }

  async function drain(): Promise<void> {
    try {
      do {
        again = false;
        const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
        const failed = lanes.find((result) => result.status === 'rejected');
        if (failed) {
          logger.warn({ reason: reasonOf(failed.reason) }, 'outbox out of reach');
          return;
        }
      } while (again && !stopping);
    } finally {
      // In the same tick as the last look at `again`: a kick in between would be lost.
      running = undefined;
    }
  }

  const kick = (): Promise<void> => {
    again = true;
    running ??= drain();
    return running;
  };

  return {
    async notify(account, notice, params = {}) {
      if (!account.email) return;
      const notMeHref = notMeLink && !WITHOUT_NOT_ME.has(notice) ? await notMeLink(account.id, notice) : undefined;
      const body = await renderMail(notice, {
        name: account.name,
        params,
        ...(account.locale ? { locale: account.locale } : {}),
        ...(notMeHref ? { notMeHref } : {}),
      });
      const { subject, text, html } = body;
      await enqueue({ accountId: account.id, kind: 'mail', notice }, { to: account.email, subject, text, html });
    },

    enqueue: (kind, accountId, payload) => enqueue({ accountId, kind }, payload),

    start() {
      if (timer) return;
      stopping = false;
      timer = setInterval(() => void kick(), pollMs);
      timer.unref();
      void kick();
    },

    async stop() {
      stopping = true;
      clearInterval(timer);
      timer = undefined;
      await running;
      transport.close?.();
    },

    kick,

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
