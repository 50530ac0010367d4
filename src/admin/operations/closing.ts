import type { Engine } from '../../factors/index.js';
import type { Outbox } from '../../notifications/index.js';
import type { Unit } from '../../platform/database.js';
import type { DeskActor } from '../../recovery-desk/contract.js';
import type { Sessions } from '../../sessions/index.js';

/** What is left to do for an account that was deactivated or deleted: nobody is let in by it any more. */
export interface AccountClosing {
  accountId: string;
  /** When it was, ISO 8601: what began later is of an account that is active again. */
  at: string;
  by: DeskActor;
  isDeleted: boolean;
}

/** Kept with the change it belongs to, done at once, and done by the outbox if this node was lost before. */
export interface Closing {
  keep(closing: AccountClosing, unit: Unit): Promise<void>;
  carryOut(closing: AccountClosing): Promise<void>;
}

/** Long enough for the node itself to have done it. */
const AFTER_SECONDS = 15;

export const keepIn =
  (outbox: Pick<Outbox, 'enqueue'>): Closing['keep'] =>
  (closing, unit) =>
    outbox.enqueue('account_closed', closing.accountId, closing, { unit, afterSeconds: AFTER_SECONDS });

/** Applications hear that its sessions are over; of one that is deleted the login methods go. Doing it twice changes nothing. */
export const createCarryOut =
  (deps: { sessions: Pick<Sessions, 'endLeft'>; engine: Pick<Engine, 'forAccount' | 'discard'> }) =>
  async ({ accountId, at, by: { type, id, origin }, isDeleted }: AccountClosing): Promise<void> => {
    await deps.sessions.endLeft(accountId, new Date(at), { type, ...(id ? { id } : {}) }, origin);
    if (!isDeleted) return;
    const factors = (await deps.engine.forAccount(accountId)).flatMap((method) => method.factors);
    for (const factor of factors) await deps.engine.discard(accountId, factor.id);
  };
