import type { Clock } from '../platform/clock.js';
import { type Database, isDuplicateKey, type Unit } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { Account, AccountSource, Role } from './contract.js';
import { normaliseLogin } from './login.js';
import { type AccountDocument, accountModel, toAccount } from './model.js';
import { type NewAccount, type NewAccountRefusal, newDocument, refusalOf } from './new-account.js';
import { createOwners } from './owners.js';
import type { Passwords } from './passwords.js';

export type Created = { ok: true; account: Account } | { ok: false; reason: 'login_taken' | NewAccountRefusal };

export interface PasswordState {
  hasPassword: boolean;
  changedAt?: Date;
  /** Known to others: to be changed at the next sign-in. */
  compromised: boolean;
}

/** Our own accounts. The changes answer false when there is no such account. */
export interface AccountStore extends AccountSource {
  findByLogin(login: string): Promise<Account | undefined>;
  /** After `login_taken` nothing else in the unit must be done. */
  create(account: NewAccount, unit?: Unit): Promise<Created>;
  /** @param password already found good by `checkNewPassword`. Sessions go on: end them through the standings. */
  setPassword(accountId: string, password: string, options?: { compromised?: boolean }): Promise<boolean>;
  markPasswordCompromised(accountId: string): Promise<boolean>;
  /** Ends every session, grant and token in the same write. */
  deactivate(accountId: string): Promise<boolean>;
  reactivate(accountId: string): Promise<boolean>;
  /** By id. `after` is the id of the last one seen; `limit` at most 200. */
  list(page: { after?: string; limit: number }): Promise<Account[]>;
  passwordState(accountId: string): Promise<PasswordState | undefined>;
  /** Active accounts that hear of requests for help: those with a role that may decide, and an address. */
  administrators(): Promise<Account[]>;
  /** Whether somebody can grant roles; no other change of owners comes between in the unit. */
  isAnyOwner(unit: Unit): Promise<boolean>;
  /** False when the account has it already, or there is none. */
  grantRole(accountId: string, role: Role, unit?: Unit): Promise<boolean>;
  /** `last_owner`: somebody has to be left who can grant roles. */
  revokeRole(accountId: string, role: Role, unit?: Unit): Promise<'revoked' | 'not_held' | 'last_owner'>;
}

const DECIDING: readonly Role[] = ['helpdesk', 'admin', 'owner'];

const LONGEST_PAGE = 200;

export function createAccounts(deps: {
  database: Database;
  clock: Clock;
  random: Random;
  passwords: Passwords;
}): AccountStore {
  const { clock, random, passwords } = deps;
  const accounts = accountModel(deps.database.connection);
  const owners = createOwners(deps);

  const change = async (
    accountId: string,
    { $set, ...rest }: { $set: Record<string, unknown>; $max?: Record<string, unknown> },
    where: Record<string, unknown> = {},
  ): Promise<boolean> => {
    const result = await accounts.updateOne(
      { ...where, _id: accountId },
      { ...rest, $set: { ...$set, updatedAt: clock.now() }, $inc: { version: 1 } },
    );
    return result.matchedCount === 1;
  };

  return {
    async find(id) {
      const found = await accounts.findById(id).lean<AccountDocument>();
      return found ? toAccount(found) : undefined;
    },

    async findByLogin(login) {
      const found = await accounts.findOne({ login: normaliseLogin(login) }).lean<AccountDocument>();
      return found ? toAccount(found) : undefined;
    },

    async create(wanted, unit) {
      const reason = refusalOf(wanted);
      if (reason) return { ok: false, reason };
      const now = clock.now();
      const id = random.bytes(16).toString('hex');
      const { password } = wanted;
      const document: AccountDocument = {
        ...newDocument(id, wanted, now),
        ...(password === undefined ? {} : { password: { hash: await passwords.hash(password), changedAt: now } }),
      };
      try {
        await accounts.create([document], unit ? { session: unit.session } : {});
      } catch (error) {
        if (isDuplicateKey(error)) return { ok: false, reason: 'login_taken' };
        throw error;
      }
      return { ok: true, account: toAccount(document) };
    },

    async setPassword(accountId, password, { compromised = false } = {}) {
      const hash = await passwords.hash(password);
      return change(accountId, { $set: { password: { hash, changedAt: clock.now(), compromised } } });
    },

    markPasswordCompromised: (accountId) =>
      change(accountId, { $set: { 'password.compromised': true } }, { password: { $exists: true } }),

    deactivate: (accountId) =>
      change(accountId, { $set: { active: false }, $max: { 'standing.sessionsNotBefore': clock.now() } }),

    reactivate: (accountId) => change(accountId, { $set: { active: true } }),

    async list({ after, limit }) {
      const found = await accounts
        .find(after === undefined ? {} : { _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(Math.min(Math.max(Math.trunc(limit), 1), LONGEST_PAGE))
        .lean<AccountDocument[]>();
      return found.map(toAccount);
    },

    async administrators() {
      const found = await accounts
        .find({ roles: { $in: DECIDING }, active: true, email: { $exists: true } })
        .lean<AccountDocument[]>();
      return found.map(toAccount);
    },

    isAnyOwner: (unit) => owners.isAnotherOwner(null, unit),
    grantRole: owners.grant,
    revokeRole: owners.revoke,

    async passwordState(accountId) {
      const found = await accounts.findById(accountId, { password: 1 }).lean<AccountDocument>();
      if (!found) return undefined;
      const { password } = found;
      return {
        hasPassword: password !== undefined,
        compromised: password?.compromised === true,
        ...(password ? { changedAt: password.changedAt } : {}),
      };
    },
  };
}
