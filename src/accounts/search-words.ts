/** More words than any name has, each as long as anybody types. */
const MOST_WORDS = 32;
const LONGEST_WORD = 64;

/** Compared without case, marks and width: `Müller` is found by `muller`. */
const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

const cut = (words: readonly string[]): string[] =>
  [...new Set(words.filter(Boolean).map((word) => [...word].slice(0, LONGEST_WORD).join('')))].slice(0, MOST_WORDS);

/** What an account is found by: login, address and name as they are, and their parts. */
export function searchWords(account: { login: string; name: string; email?: string | undefined }): string[] {
  const whole = [account.login, account.email ?? '', ...account.name.split(/\s+/u)].map(fold);
  const local = [account.login, account.email ?? ''].map((text) => fold(text.split('@', 1)[0] ?? ''));
  const parts = [...local, fold(account.name)].flatMap((text) => text.split(/[^\p{L}\p{N}]+/u));
  return cut([...whole, ...parts]);
}

/** The words of a search, each of which must begin a word of the account. */
export const wordsOfQuery = (query: string): string[] => cut(fold(query).split(/\s+/u));
