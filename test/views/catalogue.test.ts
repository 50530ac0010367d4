import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createCatalogue, formatDateTime, readSentences, sentenceFiles } from '../../src/http/i18n.js';

const en = readSentences('en');
const de = readSentences('de');
const create = (options = {}) => createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en', ...options });

/** Names of the placeholders and tags of a message, sorted. */
const placeholders = (message: string): string[] =>
  [
    ...new Set([...message.matchAll(/\{([a-z]\w*)(?=[,}])|<(\w+)>/gi)].map(([, name, tag]) => name ?? `<${tag}>`)),
  ].sort();

describe('sentences', () => {
  test('both languages have the same keys', () => {
    expect(Object.keys(de)).toEqual(Object.keys(en));
  });

  test.each(Object.keys(en))('%s takes the same parameters in both', (key) => {
    expect(placeholders(de[key] ?? '')).toEqual(placeholders(en[key] ?? ''));
    expect((en[key] ?? '').trim()).not.toBe('');
  });

  test('no jargon and no straight quotes reach a reader', () => {
    const jargon = /\b(tokens?|factors?|otp|totp|mfa|2fa|oauth|oidc|Tokens?|Faktor\w*|Einmalpass\w*)\b|'|"/;
    for (const [key, text] of [...Object.entries(en), ...Object.entries(de)]) {
      // Administrators know the name of what they turn on and off.
      const words = key.startsWith('console.') ? text.replace(/Two-factor|two-factor|Zwei-Faktor/g, '') : text;
      expect({ key, text: words }).not.toEqual({ key, text: expect.stringMatching(jargon) });
    }
  });

  test('no key stands in two files, where one sentence would hide the other', () => {
    const keys = sentenceFiles('en').flatMap((path) => Object.keys(JSON.parse(readFileSync(path, 'utf8'))));
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
    expect(sentenceFiles('en').length).toBeGreaterThan(1);
  });
});

describe('the catalogue', () => {
  test('counts and dates follow the language', () => {
    const at = new Date('2026-11-24T09:10:00Z');
    expect(create().translator('en')('method.recovery_code.hint', { left: 1 })).toBe('1 code left');
    expect(create().translator('de')('method.recovery_code.hint', { left: 7 })).toBe('Noch 7 Codes');
    expect(formatDateTime(at, 'en')).toBe('24 Nov 2026, 09:10 UTC');
    expect(formatDateTime(at, 'de', 'Europe/Berlin')).toMatch(/24\. Nov.* 2026.* 10:10 MEZ/);
    expect(create({ timeZone: 'Europe/Berlin' }).translator('en')('not_me.at', { at })).toContain('10:10');
  });

  test('a rich sentence keeps its own tags only', () => {
    const rich = create().richTranslator('en');
    expect(rich('who', { login: '<script>&"' })).toBe('Signing in as <b>&lt;script&gt;&amp;&quot;</b>');
    expect(rich('not_me.at', { at: new Date(0) })).toContain('<time datetime="1970-01-01T00:00:00.000Z">');
  });

  test('a missing sentence throws in tests; elsewhere English stands in and the log hears of it once', () => {
    expect(() => create({ isStrict: true }).translator('de')('no.such.key')).toThrow('no.such.key');
    const warnings: unknown[] = [];
    const lenient = create({ logger: { warn: (...line: unknown[]) => warnings.push(line) } });
    expect(lenient.translator('de')('no.such.key')).toBe('no.such.key');
    lenient.translator('de')('no.such.key');
    expect(warnings).toHaveLength(1);
    expect(() => create({ defaultLocale: 'fr' })).toThrow();
  });

  test.each([
    [{ query: 'de', cookie: 'en' }, 'de'],
    [{ query: 'fr', cookie: 'de' }, 'de'],
    [{ uiLocales: 'fr-CA de-AT en' }, 'de'],
    [{ acceptLanguage: 'fr, de-CH;q=0.7, en;q=0.8' }, 'en'],
    [{ acceptLanguage: 'en;q=0, DE' }, 'de'],
    [{ acceptLanguage: '*, ;;q=x,' }, 'en'],
    [{}, 'en'],
  ])('%j is answered in %s', (wishes, locale) => {
    expect(create().pickLocale(wishes)).toBe(locale);
  });

  test('languages are named in themselves', () => {
    expect(create().languageName('de')).toBe('Deutsch');
  });
});
