import type { AccountSource } from '../accounts/contract.js';
import type { MethodWork } from '../factors/index.js';
import type { Notifier } from '../notifications/contract.js';
import { type Announcer, createAnnouncing, type DeliveryAttempt } from '../notifications/index.js';
import type { Unit } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import type { deskJobs } from '../recovery-desk/index.js';

/** Where the recovery desk puts what is to be told and done. */
export type DeskOutbox = Announcer & {
  enqueue(kind: string, accountId: string, payload: object, posting?: { unit?: Unit }): Promise<void>;
};

/** What is done by whoever takes it out of the outbox, by kind. */
export type DoneLater = ReturnType<typeof deskJobs> & {
  factor(work: MethodWork, attempt: DeliveryAttempt): Promise<void>;
};

/** For a host without an outbox: what follows from a decision is done once it is stored, and not tried again. */
export function doneAtOnce(deps: {
  issuer: string;
  accounts: AccountSource;
  notifier: Notifier;
  jobs: DoneLater;
  logger: Logger;
}): DeskOutbox {
  const { issuer, accounts, notifier, jobs, logger } = deps;
  const once: DeliveryAttempt = { id: '', isLast: true };
  const tell = createAnnouncing({
    issuer,
    outbox: { notify: (account, notice, params) => notifier.notify(account, notice, params) },
    findAccount: (id) => accounts.find(id),
    administrators: async () => [],
    publish: async () => {},
  });
  const afterwards = (kind: string, unit: Unit | undefined, work: () => Promise<unknown>): void => {
    const run = (): void =>
      void work().catch((err: unknown) => logger.error({ kind, err }, 'left undone after a decision'));
    if (unit) unit.afterCommit(run);
    else run();
  };
  return {
    async enqueue(kind, _accountId, payload, { unit } = {}) {
      const work = jobs[kind as keyof DoneLater] as (job: object, attempt: DeliveryAttempt) => Promise<void>;
      afterwards(kind, unit, () => work(payload, once));
    },
    async announce(announcement, unit) {
      afterwards(announcement.type, unit, async () => tell(announcement, once));
    },
  };
}
