import type { mongo } from 'mongoose';
import { AppError } from '../errors.js';
import type { Clock } from '../platform/clock.js';
import { type Database, isDuplicateKey, type Unit } from '../platform/database.js';
import { type Page, type PageRequest, readPage } from '../platform/paging.js';
import type { Level } from '../policy/levels.js';
import { isAddress } from './address.js';
import type { Account, Role } from './contract.js';
import { isUsableLogin, normaliseLogin } from './login.js';
import { ACCOUNTS_COLLECTION, type AccountDocument, type Coverage, toAccount } from './model.js';
import { createOwners } from './owners.js';
import { searchWords, wordsOfQuery } from './search-words.js';

/** An account with what only administrators see of it. */
export interface DirectoryEntry {
  account: Account;
  createdAt: Date;
  updatedAt: Date;
  /** What a change must be based on. */
  version: number;
  coverage: Coverage;
}

export interface DirectoryFilter {
  /** Each word begins the login, the address, or a word of the name. */
  q?: string | undefined;
  group?: string | undefined;
  active?: boolean | undefined;
  covered?: boolean | undefined;
  level?: Level | undefined;
  updatedSince?: Date | undefined;
}

/** Absent: as it is. Null: taken away. */
export interface AccountChanges {
  login?: string | undefined;
  name?: string | undefined;
  email?: string | null | undefined;
  groups?: readonly string[] | undefined;
  locale?: string | null | undefined;
}

export type AccountRefusal = 'login_unusable' | 'name_missing' | 'email_malformed';

export type Changed =
  | { status: 'changed'; entry: DirectoryEntry }
  /** Gone, or of another version. */
  | { status: 'stale' }
  | { status: 'refused'; reason: AccountRefusal };

/** Who an account is, and what decides who may do something to it. */
export interface NamedAccount {
  login: string;
  name: string;
  groups: string[];
  roles: Role[];
}

/** Accounts as administrators list, find and edit them; deleted ones are not among them. */
export interface Directory {
  list(filter: DirectoryFilter, page: PageRequest): Promise<Page<DirectoryEntry>>;
  find(id: string): Promise<DirectoryEntry | undefined>;
  /** Who these accounts are, for lists of what is theirs. */
  names(ids: readonly string[]): Promise<ReadonlyMap<string, NamedAccount>>;
  /** How many there are; counted along an index. Deleted ones have no level and no methods. */
  count(by: { active: boolean } & ({ level: Level; covered?: boolean } | { method: string })): Promise<number>;
  /** @throws AppError LOGIN_TAKEN: what else stands in the unit is not done either. */
  change(id: string, version: number, changes: AccountChanges, unit: Unit): Promise<Changed>;
  /**
   * False when the account is in that state already. Deactivating ends every session, grant and token in the same write.
   * @throws AppError LAST_OWNER
   */
  setActive(id: string, active: boolean, unit: Unit): Promise<boolean>;
  /**
   * Leaves an empty account behind that nobody can sign in to: what the audit names stays one and the same.
   * @throws AppError LAST_OWNER
   */
  pseudonymise(id: string, version: number, unit: Unit): Promise<boolean>;
}

const NO_COVERAGE: Coverage = { covered: false, level: '1fa', methods: [] };
const THERE = { deletedAt: { $exists: false } };
const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const toEntry = (document: AccountDocument): DirectoryEntry => ({
  account: toAccount(document),
  createdAt: document.createdAt,
  updatedAt: document.updatedAt,
  version: document.version ?? 0,
  coverage: document.coverage ?? NO_COVERAGE,
});

/** What is taken from an account that is deleted. */
const EMPTIED = {
  email: '',
  locale: '',
  claims: '',
  password: '',
  roles: '',
  searchWords: '',
  coverage: '',
  source: '',
} as const;

/** Nothing of passwords is read. */
const PROJECTION = { password: 0, searchWords: 0, source: 0 };

export function createDirectory({ database, clock }: { database: Database; clock: Clock }): Directory {
  const owners = createOwners({ database, clock });
  const accounts = database.collection<AccountDocument>(ACCOUNTS_COLLECTION);
  const at = (id: string, version: number): mongo.Filter<AccountDocument> => ({
    _id: id,
    ...THERE,
    version: version === 0 ? { $in: [0, null] as never } : version,
  });

  const keepAnOwner = async (id: string, unit: Unit): Promise<void> => {
    const isOwner = await accounts.findOne(
      { _id: id, roles: 'owner' },
      { session: unit.session, projection: { _id: 1 } },
    );
    if (isOwner && !(await owners.isAnotherOwner(id, unit))) throw new AppError('LAST_OWNER');
  };

  return {
    async list(filter, page) {
      const found = await readPage(accounts, conditions(filter), page, PROJECTION);
      return { ...found, items: found.items.map(toEntry) };
    },

    async find(id) {
      const found = await accounts.findOne({ _id: id, ...THERE }, { projection: PROJECTION });
      return found ? toEntry(found) : undefined;
    },

    count: ({ active, ...by }) =>
      accounts.countDocuments({
        active,
        ...('method' in by ? { 'coverage.methods': by.method } : { 'coverage.level': by.level }),
        ...('covered' in by ? { 'coverage.covered': by.covered } : {}),
      }),

    async names(ids) {
      if (ids.length === 0) return new Map();
      const found = await accounts
        .find({ _id: { $in: [...new Set(ids)] } }, { projection: { login: 1, name: 1, groups: 1, roles: 1 } })
        .toArray();
      return new Map(
        found.map(({ _id, login, name, groups, roles = [] }) => [_id, { login, name, groups, roles: [...roles] }]),
      );
    },

    async change(id, version, changes, { session }) {
      const checked = checkedChanges(changes);
      if (!checked.ok) return { status: 'refused', reason: checked.reason };
      const before = await accounts.findOne(at(id, version), { session, projection: { login: 1, name: 1, email: 1 } });
      if (!before) return { status: 'stale' };
      const { $set, $unset } = checked;
      const words = searchWords({ ...before, ...$set, ...('email' in $unset ? { email: undefined } : {}) });
      try {
        const after = await accounts.findOneAndUpdate(
          at(id, version),
          {
            $set: { ...$set, searchWords: words, updatedAt: clock.now() },
            $inc: { version: 1 },
            ...(Object.keys($unset).length > 0 ? { $unset } : {}),
          },
          { session, returnDocument: 'after', projection: PROJECTION },
        );
        return after ? { status: 'changed', entry: toEntry(after) } : { status: 'stale' };
      } catch (error) {
        if (isDuplicateKey(error)) throw new AppError('LOGIN_TAKEN');
        throw error;
      }
    },

    async setActive(id, active, unit) {
      if (!active) await keepAnOwner(id, unit);
      const now = clock.now();
      const { modifiedCount } = await accounts.updateOne(
        { _id: id, ...THERE, active: !active },
        {
          $set: { active, updatedAt: now },
          $inc: { version: 1 },
          ...(active ? {} : { $max: { 'standing.sessionsNotBefore': now } }),
        },
        { session: unit.session },
      );
      return modifiedCount === 1;
    },

    async pseudonymise(id, version, unit) {
      await keepAnOwner(id, unit);
      const now = clock.now();
      const emptied: mongo.UpdateFilter<AccountDocument> = {
        $set: {
          login: `deleted:${id}`,
          name: 'Deleted account',
          groups: [],
          active: false,
          updatedAt: now,
          deletedAt: now,
          'standing.sessionsNotBefore': now,
        },
        $inc: { version: 1 },
        $unset: EMPTIED,
      };
      return (await accounts.updateOne(at(id, version), emptied, { session: unit.session })).modifiedCount === 1;
    },
  };
}

function conditions(filter: DirectoryFilter): mongo.Filter<AccountDocument> {
  const { q, group, active, covered, level, updatedSince } = filter;
  const words = wordsOfQuery(q ?? '').map((word) => ({ searchWords: { $regex: `^${escapeRegExp(word)}` } }));
  return {
    ...THERE,
    ...(words.length > 0 ? { $and: words } : {}),
    ...(group === undefined ? {} : { groups: group }),
    ...(active === undefined ? {} : { active }),
    ...(covered === undefined ? {} : { 'coverage.covered': covered }),
    ...(level === undefined ? {} : { 'coverage.level': level }),
    ...(updatedSince === undefined ? {} : { updatedAt: { $gte: updatedSince } }),
  };
}

type Checked =
  | { ok: true; $set: Partial<AccountDocument>; $unset: Partial<Record<'email' | 'locale', ''>> }
  | { ok: false; reason: AccountRefusal };

function checkedChanges({ login, name, email, groups, locale }: AccountChanges): Checked {
  const normal = login === undefined ? undefined : normaliseLogin(login);
  if (normal !== undefined && !isUsableLogin(normal)) return { ok: false, reason: 'login_unusable' };
  if (name !== undefined && name.trim() === '') return { ok: false, reason: 'name_missing' };
  if (typeof email === 'string' && !isAddress(email)) return { ok: false, reason: 'email_malformed' };
  return {
    ok: true,
    $set: {
      ...(normal === undefined ? {} : { login: normal }),
      ...(name === undefined ? {} : { name: name.trim() }),
      ...(typeof email === 'string' ? { email } : {}),
      ...(groups === undefined ? {} : { groups: [...new Set(groups)] }),
      ...(typeof locale === 'string' ? { locale } : {}),
    },
    $unset: { ...(email === null ? { email: '' as const } : {}), ...(locale === null ? { locale: '' as const } : {}) },
  };
}
