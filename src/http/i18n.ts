import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import type { Logger } from '../platform/logger.js';
import { projectRoot } from '../platform/paths.js';

/** Values of a message's placeholders; a `Date` becomes a time in the reader's language. */
export type MessageParams = Readonly<Record<string, string | number | Date | undefined>>;
/** Looks a sentence up by its key, as plain text. */
export type Translate = (key: string, params?: MessageParams) => string;

export interface LocaleWishes {
  /** `?lang=` of the language switch. */
  query?: string | undefined;
  cookie?: string | undefined;
  /** `ui_locales` of OpenID Connect Core 3.1.2.1: BCP 47 tags by preference, separated by spaces. */
  uiLocales?: string | undefined;
  /** The header of RFC 9110 12.5.4. */
  acceptLanguage?: string | undefined;
}

export interface Catalogue {
  readonly locales: readonly string[];
  readonly defaultLocale: string;
  translator(locale: string): Translate;
  /** The sentence as HTML: parameters escaped, dates as `<time>`, `<b>` and `<a>` (to the parameter `href`) kept. */
  richTranslator(locale: string): Translate;
  has(key: string): boolean;
  /** The first wish we have a language for, else the default. */
  pickLocale(wishes: LocaleWishes): string;
  /** A language's name in itself. */
  languageName(locale: string): string;
  /** Of a country; the code itself where it is none. @param code ISO 3166-1 alpha-2. */
  countryName(code: string, locale: string): string;
  formatDateTime(date: Date, locale: string, timeZone?: string): string;
}

/** English with its day first: "24 Nov 2026" cannot be misread on either side of the Atlantic. */
const dateLocale = (locale: string): string => (locale === 'en' ? 'en-GB' : locale);

/** Date and time to the minute with the zone's name. @param timeZone IANA name. */
export function formatDateTime(date: Date, locale: string, timeZone = 'UTC'): string {
  return new Intl.DateTimeFormat(dateLocale(locale), {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    timeZone,
  }).format(date);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** Language tags of an `Accept-Language` header, best first; `q=0` means "not this one". */
function acceptedLanguages(header: string): string[] {
  return header
    .split(',', 20)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(/\s*;\s*/);
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, quality: quality === undefined ? 1 : Number(quality.slice(2)) };
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}

const localesFolder = join(projectRoot, 'views/locales');

/** The files of a language: `<locale>.json`, and one in each folder for pages that are a world of their own. */
export const sentenceFiles = (locale: string): string[] => [
  join(localesFolder, `${locale}.json`),
  ...readdirSync(localesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(localesFolder, name, `${locale}.json`)),
];

/** All sentences of a language by their keys. */
export const readSentences = (locale: string): Record<string, string> =>
  Object.assign({}, ...sentenceFiles(locale).map((path) => JSON.parse(readFileSync(path, 'utf8'))));

/**
 * Reads `views/locales/<locale>.json` and `views/locales/<part>/<locale>.json`: flat keys, ICU messages.
 * @param options.isStrict a missing sentence throws instead of falling back to English (for tests).
 * @param options.timeZone IANA name for times in sentences; the pages' script turns them to the reader's own.
 */
export function createCatalogue(options: {
  locales: readonly string[];
  defaultLocale: string;
  timeZone?: string;
  isStrict?: boolean;
  logger?: Pick<Logger, 'warn'>;
}): Catalogue {
  const { locales, defaultLocale, timeZone } = options;
  if (!locales.includes(defaultLocale)) throw new TypeError('the default language is not among the languages');
  const sentences = new Map<string, Readonly<Record<string, string>>>();
  for (const locale of new Set([...locales, 'en'])) sentences.set(locale, readSentences(locale));
  const compiled = new Map<string, IntlMessageFormat>();
  const missing = new Set<string>();
  // Every page shows them; making one takes longer than rendering the page.
  const languageNames = new Map(
    locales.map((locale) => [locale, new Intl.DisplayNames([locale], { type: 'language' }).of(locale)]),
  );

  const regionNames = new Map<string, Intl.DisplayNames>();

  const message = (locale: string, key: string): IntlMessageFormat => {
    const id = `${locale}/${key}`;
    let format = compiled.get(id);
    if (!format) {
      let text = sentences.get(locale)?.[key];
      let language = locale;
      if (text === undefined) {
        if (options.isStrict) throw new Error(`no sentence ${key} in ${locale}`);
        if (!missing.has(id)) options.logger?.warn({ locale, key }, 'sentence missing');
        missing.add(id);
        text = sentences.get('en')?.[key] ?? key;
        language = 'en';
      }
      format = new IntlMessageFormat(text, dateLocale(language));
      compiled.set(id, format);
    }
    return format;
  };
  const format = (date: Date, locale: string): string => formatDateTime(date, locale, timeZone);

  return {
    locales,
    defaultLocale,
    translator: (locale) => (key, params) =>
      String(
        message(locale, key).format(convert(params, { time: (date) => format(date, locale), text: (text) => text })),
      ),
    richTranslator:
      (locale) =>
      (key, params = {}) => {
        const values = convert(params, {
          time: (date) => `<time datetime="${date.toISOString()}">${escapeHtml(format(date, locale))}</time>`,
          text: escapeHtml,
        });
        const href = escapeHtml(String(params.href ?? ''));
        return [
          message(locale, key).format<string>({
            ...values,
            b: (chunks) => `<b>${chunks.join('')}</b>`,
            a: (chunks) => `<a href="${href}">${chunks.join('')}</a>`,
          }),
        ]
          .flat()
          .join('');
      },
    has: (key) => sentences.get('en')?.[key] !== undefined,
    pickLocale({ query, cookie, uiLocales, acceptLanguage }) {
      const wishes = [query, cookie, ...(uiLocales?.split(' ', 20) ?? []), ...acceptedLanguages(acceptLanguage ?? '')];
      for (const wish of wishes) {
        const tag = wish?.toLowerCase();
        const match = locales.find((locale) => locale === tag || locale === tag?.split('-', 1)[0]);
        if (match) return match;
      }
      return defaultLocale;
    },
    countryName(code, locale) {
      const names = regionNames.get(locale) ?? new Intl.DisplayNames([locale], { type: 'region' });
      regionNames.set(locale, names);
      return names.of(code) ?? code;
    },
    languageName: (locale) => languageNames.get(locale) ?? locale,
    formatDateTime: (date, locale, zone) => formatDateTime(date, locale, zone ?? timeZone),
  };
}

function convert(
  params: MessageParams = {},
  as: { time(date: Date): string; text(text: string): string },
): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      if (typeof value === 'number') return [name, value];
      return [name, value instanceof Date ? as.time(value) : as.text(value ?? '')];
    }),
  );
}
