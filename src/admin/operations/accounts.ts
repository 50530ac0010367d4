import type { Account, AccountStore, Created, Directory, Invitations, NewAccount, Role } from '../../accounts/index.js';
import type { AuditEvent } from '../../audit/contract.js';
import { AppError } from '../../errors.js';
import type { Engine } from '../../factors/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database, Unit } from '../../platform/database.js';
import type { AdministratorDesk, DeskActor } from '../../recovery-desk/contract.js';
import type { AccountClosing, Closing } from './closing.js';
import type { Tell } from './telling.js';

/** What is done to accounts, by whoever: each is one transaction with what is written down and announced of it. */
export interface AccountOperations {
  /** @throws AppError ACCOUNT_WITHOUT_ADDRESS when it is to be invited and has none. */
  create(account: NewAccount, by: DeskActor, options?: { invite?: boolean }): Promise<Created>;
  /**
   * Makes somebody an owner, and an account for them where there is none. Undefined when there is an owner, unless `again`.
   * @returns a link, good once and for a day, with which they choose a password; or why there can be no such account.
   */
  appointOwner(
    account: NewAccount,
    by: DeskActor,
    again: boolean,
  ): Promise<{ ok: true; account: Account; link: string } | Extract<Created, { ok: false }> | undefined>;
  /** Mails an invitation. @throws AppError ACCOUNT_INACTIVE, ACCOUNT_WITHOUT_ADDRESS */
  invite(account: Account, by: DeskActor): Promise<void>;
  /** Out at once, everywhere; whatever of it is there already is left. @throws AppError LAST_OWNER */
  deactivate(accountId: string, by: DeskActor): Promise<void>;
  reactivate(accountId: string, by: DeskActor): Promise<void>;
  /** Leaves an empty shell. False when it is gone, or of another version. @throws AppError LAST_OWNER */
  remove(accountId: string, version: number, by: DeskActor): Promise<boolean>;
  /** False when it has the role. */
  grantRole(accountId: string, role: Role, by: DeskActor): Promise<boolean>;
  /** False when it does not have the role. @throws AppError LAST_OWNER */
  revokeRole(accountId: string, role: Role, by: DeskActor): Promise<boolean>;
  /** Takes every login method away that is set up. @returns how many there were. */
  resetFactors(accountId: string, by: DeskActor): Promise<number>;
}

export interface AccountOperationsDeps {
  database: Database;
  clock: Clock;
  accounts: AccountStore;
  directory: Directory;
  engine: Pick<Engine, 'forAccount'>;
  desk: Pick<AdministratorDesk, 'accountClosed' | 'closeSetUp' | 'revokeFactors'>;
  closing: Closing;
  invitations: Invitations;
}

/** Who it was, as the audit names them. */
export const actorOf = ({ type, id }: DeskActor): AuditEvent['actor'] => ({ type, ...(id ? { id } : {}) });

/** An account that a mail can be sent to. @throws AppError ACCOUNT_INACTIVE, ACCOUNT_WITHOUT_ADDRESS */
export function reachable(account: Account): Account {
  if (!account.active) throw new AppError('ACCOUNT_INACTIVE');
  if (!account.email) throw new AppError('ACCOUNT_WITHOUT_ADDRESS');
  return account;
}

/** Ends the transaction: after a login that is taken the database does not go on with it. */
class NotCreated extends Error {
  constructor(readonly refusal: Extract<Created, { ok: false }>) {
    super(refusal.reason);
  }
}

function notCreated(error: unknown): NotCreated['refusal'] {
  if (error instanceof NotCreated) return error.refusal;
  throw error;
}

export function createAccountOperations(deps: AccountOperationsDeps & { tell: Tell }): AccountOperations {
  const { accounts, clock, closing, database, desk, directory, engine, invitations, tell } = deps;

  /** Sessions are void by the account's standing already; what is left is kept with the change, and nothing of it stays open. */
  const close = async (
    accountId: string,
    by: DeskActor,
    unit: Unit,
    { isDeleted }: { isDeleted: boolean },
  ): Promise<AccountClosing> => {
    await desk.accountClosed(accountId, by, unit);
    const kept = { accountId, at: clock.now().toISOString(), by, isDeleted };
    await closing.keep(kept, unit);
    return kept;
  };

  const createIn = async (unit: Unit, account: NewAccount, by: DeskActor): Promise<Account> => {
    const made = await accounts.create(account, unit);
    if (!made.ok) throw new NotCreated(made);
    await tell({ type: 'user_created', announcedAs: 'account_created', accountId: made.account.id, by }, unit);
    return made.account;
  };

  const granted = async (unit: Unit, accountId: string, role: Role, by: DeskActor): Promise<void> => {
    await desk.closeSetUp(unit, accountId, by);
    await tell({ type: 'role_granted', announcedAs: 'role_granted', accountId, by, facts: { role } }, unit);
  };

  return {
    async create(account, by, { invite = false } = {}) {
      if (invite && !account.email) throw new AppError('ACCOUNT_WITHOUT_ADDRESS');
      const made = await database.transaction((unit) => createIn(unit, account, by)).catch(notCreated);
      if ('reason' in made) return made;
      if (invite) await invitations.send(made, actorOf(by));
      return { ok: true, account: made };
    },

    async appointOwner(wanted, by, again) {
      const there = await accounts.findByLogin(wanted.login);
      if (there && !there.active) throw new AppError('ACCOUNT_INACTIVE');
      const appoint = async (unit: Unit): Promise<Account | undefined> => {
        if ((await accounts.isAnyOwner(unit)) && !again) return undefined;
        const owner = there ?? (await createIn(unit, wanted, by));
        await accounts.grantRole(owner.id, 'owner', unit);
        // Told again of whoever is one already: the link lets somebody in all the same.
        await granted(unit, owner.id, 'owner', by);
        return owner;
      };
      const appointed = await database.transaction(appoint).catch(notCreated);
      if (!appointed || 'reason' in appointed) return appointed;
      return { ok: true, account: appointed, link: await invitations.makeLink(appointed, actorOf(by)) };
    },

    invite: async (account, by) => invitations.send(reachable(account), actorOf(by)),

    async deactivate(accountId, by) {
      const closed = await database.transaction(async (unit) => {
        if (await directory.setActive(accountId, false, unit))
          await tell({ type: 'user_deactivated', announcedAs: 'account_deactivated', accountId, by }, unit);
        return close(accountId, by, unit, { isDeleted: false });
      });
      await closing.carryOut(closed);
    },

    reactivate: (accountId, by) =>
      database.transaction(async (unit) => {
        if (!(await directory.setActive(accountId, true, unit))) return;
        await tell({ type: 'user_reactivated', announcedAs: 'account_reactivated', accountId, by }, unit);
      }),

    async remove(accountId, version, by) {
      const closed = await database.transaction(async (unit) => {
        if (!(await directory.pseudonymise(accountId, version, unit))) return undefined;
        await tell({ type: 'user_deleted', announcedAs: 'account_deleted', accountId, by }, unit);
        return close(accountId, by, unit, { isDeleted: true });
      });
      if (closed) await closing.carryOut(closed);
      return closed !== undefined;
    },

    grantRole: (accountId, role, by) =>
      database.transaction(async (unit) => {
        if (!(await accounts.grantRole(accountId, role, unit))) return false;
        await granted(unit, accountId, role, by);
        return true;
      }),

    revokeRole: (accountId, role, by) =>
      database.transaction(async (unit) => {
        const outcome = await accounts.revokeRole(accountId, role, unit);
        if (outcome === 'last_owner') throw new AppError('LAST_OWNER');
        if (outcome === 'not_held') return false;
        await tell({ type: 'role_revoked', announcedAs: 'role_revoked', accountId, by, facts: { role } }, unit);
        return true;
      }),

    async resetFactors(accountId, by) {
      const methods = await engine.forAccount(accountId);
      const ids = methods.flatMap(({ factors }) => factors.map(({ id }) => id));
      return (await desk.revokeFactors(accountId, ids, by)).length;
    },
  };
}
