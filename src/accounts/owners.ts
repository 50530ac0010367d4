import type { Clock } from '../platform/clock.js';
import type { Database, Unit } from '../platform/database.js';
import type { Role } from './contract.js';
import type { AccountDocument } from './model.js';

/** One document that every change of owners touches, so that two of them at once are one after the other. */
interface OwnersGuard {
  _id: 'owners';
  changes: number;
}

/** Roles, and that an owner is left whatever happens at the same time. */
export function createOwners({ database, clock }: { database: Database; clock: Clock }) {
  const accounts = database.collection<AccountDocument>('accounts');
  const guards = database.collection<OwnersGuard>('account_guards');

  const within = <T>(unit: Unit | undefined, work: (unit: Unit) => Promise<T>): Promise<T> =>
    unit ? work(unit) : database.transaction(work);

  /** Whether somebody else, or anybody (`null`), can grant roles; from here on no other change of owners comes between. */
  const isAnotherOwner = async (accountId: string | null, { session }: Unit): Promise<boolean> => {
    await guards.updateOne({ _id: 'owners' }, { $inc: { changes: 1 } }, { upsert: true, session });
    const other = { roles: 'owner' as const, active: true, ...(accountId === null ? {} : { _id: { $ne: accountId } }) };
    return (await accounts.countDocuments(other, { limit: 1, session })) === 1;
  };

  return {
    isAnotherOwner,

    async grant(accountId: string, role: Role, unit?: Unit): Promise<boolean> {
      const { modifiedCount } = await accounts.updateOne(
        { _id: accountId, roles: { $ne: role } },
        { $addToSet: { roles: role }, $set: { updatedAt: clock.now() }, $inc: { version: 1 } },
        unit ? { session: unit.session } : {},
      );
      return modifiedCount === 1;
    },

    revoke: (accountId: string, role: Role, given?: Unit): Promise<'revoked' | 'not_held' | 'last_owner'> =>
      within(given, async (unit) => {
        if (role === 'owner' && !(await isAnotherOwner(accountId, unit))) return 'last_owner';
        const { modifiedCount } = await accounts.updateOne(
          { _id: accountId, roles: role },
          { $pull: { roles: role }, $set: { updatedAt: clock.now() }, $inc: { version: 1 } },
          { session: unit.session },
        );
        return modifiedCount === 1 ? 'revoked' : 'not_held';
      }),
  };
}
