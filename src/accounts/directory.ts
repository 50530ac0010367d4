import type { mongo } from 'mongoose';
import type { Clock } from '../platform/clock.js';
import { type Database, isDuplicateKey } from '../platform/database.js';
import { type Page, type PageRequest, readPage } from '../platform/paging.js';
import type { Level } from '../policy/levels.js';
import { isAddress } from './address.js';
import type { Account } from './contract.js';
import { isUsableLogin, normaliseLogin } from './login.js';
import { ACCOUNTS_COLLECTION, type AccountDocument, type Coverage, toAccount } from './model.js';
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

export type Changed =
  | { status: 'changed'; entry: DirectoryEntry }
  /** Gone, or of another version. */
  | { status: 'stale' }
  | { status: 'refused'; reason: 'login_taken' | 'login_unusable' | 'name_missing' | 'email_malformed' };

/** Accounts as administrators list, find and edit them; deleted ones are not among them. */
export interface Directory {
  list(filter: DirectoryFilter, page: PageRequest): Promise<Page<DirectoryEntry>>;
  find(id: string): Promise<DirectoryEntry | undefined>;
  /** Logins and names of these accounts, for lists of what is theirs. */
  names(ids: readonly string[]): Promise<ReadonlyMap<string, { login: string; name: string }>>;
  change(id: string, version: number, changes: AccountChanges): Promise<Changed>;
  /** Leaves an empty account behind that nobody can sign in to: what the audit names stays one and the same. */
  pseudonymise(id: string, version: number): Promise<boolean>;
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

/** Nothing of passwords is read. */
const PROJECTION = { password: 0, searchWords: 0 };

export function createDirectory({ database, clock }: { database: Database; clock: Clock }): Directory {
  const accounts = database.collection<AccountDocument>(ACCOUNTS_COLLECTION);
  const at = (id: string, version: number): mongo.Filter<AccountDocument> => ({
    _id: id,
    ...THERE,
    version: version === 0 ? { $in: [0, null] as never } : version,
  });

  return {
    async list(filter, page) {
      const found = await readPage(accounts, conditions(filter), page, PROJECTION);
      return { ...found, items: found.items.map(toEntry) };
    },

    async find(id) {
      const found = await accounts.findOne({ _id: id, ...THERE }, { projection: PROJECTION });
      return found ? toEntry(found) : undefined;
    },

    async names(ids) {
      if (ids.length === 0) return new Map();
      const found = await accounts
        .find({ _id: { $in: [...new Set(ids)] } }, { projection: { login: 1, name: 1 } })
        .toArray();
      return new Map(found.map(({ _id, login, name }) => [_id, { login, name }]));
    },

    async change(id, version, changes) {
      const checked = checkedChanges(changes);
      if (!checked.ok) return { status: 'refused', reason: checked.reason };
      const before = await accounts.findOne(at(id, version), { projection: { login: 1, name: 1, email: 1 } });
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
          { returnDocument: 'after', projection: PROJECTION },
        );
        return after ? { status: 'changed', entry: toEntry(after) } : { status: 'stale' };
      } catch (error) {
        if (isDuplicateKey(error)) return { status: 'refused', reason: 'login_taken' };
        throw error;
      }
    },

    async pseudonymise(id, version) {
      const now = clock.now();
      const { modifiedCount } = await accounts.updateOne(at(id, version), {
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
        $unset: { email: '', locale: '', claims: '', password: '', roles: '', searchWords: '', coverage: '' },
      });
      return modifiedCount === 1;
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
  | { ok: false; reason: 'login_unusable' | 'name_missing' | 'email_malformed' };

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
