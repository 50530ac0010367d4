import type { ImportProblem, ImportRow } from './import-contract.js';
import { type HashRefusal, refusalOfHash } from './imported-hashes/index.js';
import { type NewAccountRefusal, refusalOf } from './new-account.js';
import { checkNewPassword, type PasswordProblem } from './password-rules.js';

const REFUSED: Readonly<Record<NewAccountRefusal, ImportProblem>> = {
  login_unusable: { field: 'login', reason: 'must have no spaces and no control characters' },
  name_missing: { field: 'name', reason: 'must not be empty' },
  email_malformed: { field: 'email', reason: 'must be an address' },
};

const HASH: Readonly<Record<HashRefusal, string>> = {
  unknown: 'is of no kind that is known here: argon2id, bcrypt, scrypt, pbkdf2-sha256, pbkdf2-sha512',
  malformed: 'is not well-formed',
  too_costly: 'would take too much time or memory at each sign-in',
};

const PASSWORD: Readonly<Record<PasswordProblem, string>> = {
  too_short: 'is too short',
  too_long: 'is too long',
  common: 'is one of those that guessing begins with',
  repetitive: 'repeats itself',
  contains_login: 'is little more than the login',
  contains_name: 'is little more than the name',
  contains_email: 'is little more than the address',
};

/** All that speaks against a row, whatever is stored already; never quotes it. */
export function problemsOf(row: ImportRow, isCovered: boolean): ImportProblem[] {
  const { login, name, email, password, passwordHash } = row;
  const problems: ImportProblem[] = [];
  const refusal = refusalOf(row);
  if (refusal) problems.push(REFUSED[refusal]);
  if (password !== undefined && passwordHash !== undefined)
    problems.push({ field: 'password', reason: 'stands beside passwordHash: one of them is too much' });
  if (passwordHash !== undefined) {
    const reason = refusalOfHash(passwordHash);
    if (reason) problems.push({ field: 'passwordHash', reason: HASH[reason] });
  }
  if (password !== undefined) {
    const about = { login, name, secondFactorActive: isCovered, ...(email === undefined ? {} : { email }) };
    for (const problem of checkNewPassword(password, about))
      problems.push({ field: 'password', reason: PASSWORD[problem] });
  }
  return problems;
}
