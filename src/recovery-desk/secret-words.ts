import type { Random } from '../platform/random.js';

/** 32 characters that nobody mistakes for another when read out or written down: five bits each. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** Characters of a request's number: enough to tell the open requests of an installation apart. */
export const NUMBER_LENGTH = 6;
/** 50 bits: throttled like a factor, and gone with its suspension. */
export const ACCESS_CODE_LENGTH = 10;
/** 80 bits: it opens set-up for whoever holds it and the password. */
export const ACCESS_PASS_LENGTH = 16;

export const makeWord = (random: Random, length: number): string =>
  Array.from({ length }, () => ALPHABET[random.integer(ALPHABET.length)]).join('');

/** As it is compared: without spaces and hyphens, in capitals. Undefined when it is none of ours. */
export function normaliseWord(typed: string, length: number): string | undefined {
  const word = typed.replace(/[\s-]/gu, '').toUpperCase();
  return word.length === length && [...word].every((character) => ALPHABET.includes(character)) ? word : undefined;
}

/** In groups, as it is shown: `K7P 4QX`, `ABCDE-FGHJK`, `ABCD-EFGH-JKLM-NPQR`. */
export const inGroups = (word: string, size: number, between: string): string =>
  (word.match(new RegExp(`.{1,${size}}`, 'g')) ?? []).join(between);
