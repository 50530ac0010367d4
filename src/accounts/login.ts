/** The longest login; an e-mail address fits (RFC 5321 section 4.5.3.1). */
export const LONGEST_LOGIN = 254;

/** The one form of a login that is stored, compared and counted on: NFKC, without spaces around, lower case. */
export const normaliseLogin = (login: string): string => login.normalize('NFKC').trim().toLowerCase().normalize('NFKC');

/** A normalised login that can be stored: not empty, not too long, nothing invisible in it. */
export const isUsableLogin = (login: string): boolean =>
  login.length > 0 && login.length <= LONGEST_LOGIN && !/[\p{C}\p{Z}]/u.test(login);
