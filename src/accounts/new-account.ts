import { isAddress } from './address.js';
import type { Role } from './contract.js';
import { isUsableLogin, normaliseLogin } from './login.js';
import type { AccountDocument } from './model.js';
import { searchWords } from './search-words.js';

export interface NewAccount {
  login: string;
  name: string;
  /** Verified by whoever creates the account. */
  email?: string;
  groups?: string[];
  roles?: readonly Role[];
  /** Already found good by `checkNewPassword`. */
  password?: string;
  locale?: string;
  /** Further claims of OpenID Connect Core 5.1. */
  claims?: Record<string, unknown>;
}

export type NewAccountRefusal = 'login_unusable' | 'name_missing' | 'email_malformed';

/** Why there can be no such account, whoever makes it. */
export function refusalOf({ login, name, email }: NewAccount): NewAccountRefusal | undefined {
  if (!isUsableLogin(normaliseLogin(login))) return 'login_unusable';
  if (name.trim() === '') return 'name_missing';
  return email !== undefined && !isAddress(email) ? 'email_malformed' : undefined;
}

/** The account as it is stored, but for its password. */
export function newDocument(
  id: string,
  { login: typed, name, email, groups = [], roles = [], locale, claims }: NewAccount,
  now: Date,
): AccountDocument {
  const login = normaliseLogin(typed);
  return {
    _id: id,
    login,
    name: name.trim(),
    groups: [...new Set(groups)],
    active: true,
    createdAt: now,
    updatedAt: now,
    ...(roles.length > 0 ? { roles: [...new Set(roles)] } : {}),
    version: 1,
    searchWords: searchWords({ login, name, email }),
    coverage: { covered: false, level: '1fa', methods: [] },
    ...(email === undefined ? {} : { email }),
    ...(locale === undefined ? {} : { locale }),
    ...(claims === undefined ? {} : { claims }),
  };
}
