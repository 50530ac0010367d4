import { dictionary } from '@zxcvbn-ts/language-common';

let common: ReadonlySet<string> | undefined;

/** True for the passwords that guessing begins with (SP 800-63B-4 section 3.1.1.2). @param password in lower case. */
export function isCommonPassword(password: string): boolean {
  common ??= new Set(dictionary['passwords-common']);
  return common.has(password);
}
