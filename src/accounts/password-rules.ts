import { isCommonPassword } from './common-passwords.js';

/** Why a new password is refused; the sentences stand in the catalogue. */
export const PASSWORD_PROBLEMS = [
  'too_short',
  'too_long',
  'common',
  'repetitive',
  'contains_login',
  'contains_name',
  'contains_email',
] as const;
export type PasswordProblem = (typeof PASSWORD_PROBLEMS)[number];

/** Characters, SP 800-63B-4 section 3.1.1.2: 15 where the password stands alone, 8 beside a second factor. */
export const SHORTEST_ALONE = 15;
export const SHORTEST_WITH_SECOND_FACTOR = 8;
/** Room for passphrases; beyond it only work for the server. */
export const LONGEST_PASSWORD = 128;

/** The form that is counted and hashed (SP 800-63B-4 section 3.1.1.2, NFKC). */
export const normalisePassword = (password: string): string => password.normalize('NFKC');

/** Looks at the raw length first, so that normalising is never a way to make work. */
export const isTooLong = (password: string): boolean =>
  password.length > 8 * LONGEST_PASSWORD || lengthOf(normalisePassword(password)) > LONGEST_PASSWORD;

/**
 * What speaks against a new password; empty when nothing does. No rule on kinds of characters (SP 800-63B-4 section 3.1.1.2).
 * A word about the person is refused when too little is left without it.
 */
export function checkNewPassword(
  password: string,
  about: { login: string; name: string; email?: string; secondFactorActive: boolean },
): PasswordProblem[] {
  if (isTooLong(password)) return ['too_long'];
  const problems = new Set<PasswordProblem>();
  const normal = normalisePassword(password);
  if (lengthOf(normal) < (about.secondFactorActive ? SHORTEST_WITH_SECOND_FACTOR : SHORTEST_ALONE)) {
    problems.add('too_short');
  }
  const folded = fold(normal);
  const unit = repeatedUnit(folded);
  if (isCommonPassword(folded)) problems.add('common');
  else if (unit !== folded && isCommonPassword(unit)) problems.add('common');
  else if (isRun(folded) || lengthOf(unit) < Math.min(lengthOf(folded), SHORTEST_WITH_SECOND_FACTOR)) {
    problems.add('repetitive');
  }
  if (isLittleWithout(folded, [about.login, ...localPart(about.login)])) problems.add('contains_login');
  if (isLittleWithout(folded, [about.name, about.name.replace(/\s/gu, ''), ...about.name.split(/\s+/u)]))
    problems.add('contains_name');
  if (about.email && isLittleWithout(folded, [about.email, ...localPart(about.email)])) problems.add('contains_email');
  return PASSWORD_PROBLEMS.filter((problem) => problems.has(problem));
}

const lengthOf = (text: string): number => [...text].length;
const fold = (text: string): string => text.normalize('NFKC').toLowerCase();
const localPart = (login: string): string[] => (login.includes('@') ? [login.slice(0, login.indexOf('@'))] : []);

/** The shortest piece that gives the whole when repeated (the last time perhaps cut off). */
function repeatedUnit(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const unit = text.slice(0, length);
    if (unit.repeat(Math.ceil(text.length / length)).startsWith(text)) return unit;
  }
  return text;
}

/** One step up or down from each character to the next, digits going round: `abcdefgh`, `98765432109`. */
function isRun(text: string): boolean {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  return [1, -1].some((step) =>
    codes.every((code, index) => {
      const previous = codes[index - 1];
      if (previous === undefined) return true;
      if (code - previous === step) return true;
      return isDigit(previous) && isDigit(code) && (code - previous - step) % 10 === 0;
    }),
  );
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** True when one of the words (of 3 characters or more) is in the text and fewer than 8 characters are left without it. */
function isLittleWithout(folded: string, words: readonly string[]): boolean {
  return words
    .map((word) => fold(word.trim()))
    .filter((word) => lengthOf(word) >= 3 && folded.includes(word))
    .some((word) => lengthOf(folded.replaceAll(word, '')) < SHORTEST_WITH_SECOND_FACTOR);
}
