/** Telephone numbers: what people type, and where a text may go. The only file that knows the library of numbering plans. */
import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  isSupportedCountry,
  type PhoneNumber,
  type PhoneNumberType,
  parsePhoneNumberWithError,
} from 'libphonenumber-js/max';

export interface NumberRules {
  /** ISO 3166-1 alpha-2: where numbers may be. */
  countries: ReadonlySet<string>;
  /** Whether numbers of the fixed network are accepted, which some carriers read texts out to. */
  landlines: boolean;
}

/** Why a number is not accepted; a sentence for each under `sms.number.*`. */
export type NumberRefusal =
  | 'invalid'
  /** Texts are not sent into its country. */
  | 'country'
  /** Fixed network, or not bound to a telephone at all. */
  | 'not_mobile'
  /** Charged in a special way, or no person's: premium, shared cost, toll-free, paging, voicemail and the like. */
  | 'premium';

export type ReadNumber =
  | { status: 'ok' /** E.164. */; number: string /** ISO 3166-1 alpha-2. */; country: string; masked: string }
  | { status: 'refused'; reason: NumberRefusal };

export interface CountryChoice {
  /** ISO 3166-1 alpha-2. */
  code: string;
  name: string;
  /** With its plus sign. */
  callingCode: string;
}

/** What people put between digits; the rest, letters and extensions among it, is no part of a number. */
const AS_TYPED = /^\+?[\d\s()[\]./‐-―−-]+$/;
const BETWEEN_DIGITS = /[^\d+]/g;

/**
 * The number that somebody meant; never throws. A number that begins with `+` or `00` tells its country itself, any other is one of
 * the picked country.
 * @param typed spaces, brackets, hyphens and full-width digits are understood
 * @param country ISO 3166-1 alpha-2, as picked beside the number
 */
export const readNumber = (typed: string, country: string, rules: NumberRules): ReadNumber => {
  const number = parse(typed, country);
  const type = number?.isValid() ? number.getType() : undefined;
  if (!number || !type) return refused('invalid');
  if (!number.country || !rules.countries.has(number.country)) return refused('country');
  const reason = refusalOf(type, rules);
  if (reason) return refused(reason);
  return { status: 'ok', number: number.number, country: number.country, masked: masked(number.number) };
};

/** How a number is shown: its last two digits. */
export const masked = (number: string): string => `···· ${number.slice(-2)}`;

/** Every country that has telephone numbers. */
export const knownCountries: readonly string[] = getCountries();

export const isCountry = (code: string): boolean => isSupportedCountry(code);

/** Such as `+49`; undefined where the code is no country's. */
export const callingCode = (code: string): string | undefined =>
  isSupportedCountry(code) ? `+${getCountryCallingCode(code)}` : undefined;

const allChoices = new Map<string, readonly CountryChoice[]>();

/** The countries to pick from, by their names in this language and in its order. */
export const countryChoices = (locale: string, countries: ReadonlySet<string>): CountryChoice[] => {
  const all = allChoices.get(locale) ?? namedCountries(locale);
  allChoices.set(locale, all);
  return all.filter(({ code }) => countries.has(code));
};

const refused = (reason: NumberRefusal): ReadNumber => ({ status: 'refused', reason });

const parse = (typed: string, country: string): PhoneNumber | undefined => {
  // Contacts copied from a telephone bring invisible marks of the writing direction along.
  const text = typed
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim();
  if (!AS_TYPED.test(text)) return undefined;
  const digits = text.replace(BETWEEN_DIGITS, '').replace(/^00/, '+');
  try {
    return parsePhoneNumberWithError(digits, {
      extract: false,
      ...(isSupportedCountry(country) && { defaultCountry: country }),
    });
  } catch {
    return undefined;
  }
};

const refusalOf = (type: PhoneNumberType, rules: NumberRules): NumberRefusal | undefined => {
  if (type === 'MOBILE' || type === 'FIXED_LINE_OR_MOBILE') return undefined;
  if (type === 'FIXED_LINE') return rules.landlines ? undefined : 'not_mobile';
  // Wherever landlines are allowed too: NIST SP 800-63B-4 section 3.1.3.1 rules out what proves no possession of a specific device.
  if (type === 'VOIP') return 'not_mobile';
  return 'premium';
};

const namedCountries = (locale: string): CountryChoice[] => {
  const names = new Intl.DisplayNames([locale], { type: 'region' });
  const inOrder = new Intl.Collator(locale);
  return getCountries()
    .map((code: CountryCode) => ({
      code,
      name: names.of(code) ?? code,
      callingCode: `+${getCountryCallingCode(code)}`,
    }))
    .sort((one, other) => inOrder.compare(one.name, other.name));
};
