import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { EN, type SentenceKey, type Sentences } from '../../plugins/app/phone/web/sentences/en.js';
import { NOTICE, noticeIn } from '../../plugins/app/phone/web/sentences/notice.js';
import { createWords, LANGUAGES, wordsFor } from '../../plugins/app/phone/web/words.js';
import { projectRoot } from '../../src/platform/paths.js';

const keys = Object.keys(EN) as SentenceKey[];
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort();

const all = new Map<string, Sentences>();
beforeAll(async () => {
  for (const [language, { load }] of Object.entries(LANGUAGES)) all.set(language, await load());
});

const folder = join(projectRoot, 'plugins/app/phone/web');
const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('sentences'))
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n');

describe('sentences', () => {
  test('every language has the keys of the English, in its order, with the same parameters', () => {
    for (const [language, sentences] of all) {
      expect(Object.keys(sentences)).toEqual(keys);
      for (const key of keys)
        expect([language, key, placeholders(sentences[key])]).toEqual([language, key, placeholders(EN[key])]);
    }
    const letters = readdirSync(join(folder, 'sentences')).filter((name) => /^[a-z]{2}\.ts$/.test(name));
    expect([...all.keys()]).toEqual(['en', 'de', 'fr', 'es', 'it']);
    expect(Object.keys(NOTICE)).toEqual([...all.keys()]);
    expect(letters.map((name) => name.slice(0, 2)).sort()).toEqual([...all.keys()].sort());
  });

  test('no sentence was left in English', () => {
    // Words that are the same in both.
    const shared = new Set(['Code', 'Browser', 'Application', 'Account', 'Continue', '{application} · {time}']);
    for (const [language, sentences] of all) {
      if (language === 'en') continue;
      const left = keys.filter((key) => sentences[key] === EN[key] && !shared.has(EN[key]));
      // "minute", in French.
      expect([language, left.filter((key) => !key.startsWith('time.'))]).toEqual([language, []]);
    }
  });

  test('a sentence addresses people as its language does in apps', () => {
    const address = { de: /\b(du|dein\w*)\b/i, fr: /\b(tu|ton|ta|tes)\b/i, es: /\b(usted|vuestr\w+|os)\b/i };
    for (const [language, wrong] of Object.entries(address))
      for (const text of Object.values(all.get(language) ?? {}))
        expect([language, text]).not.toEqual([language, expect.stringMatching(wrong)]);
  });

  test('no French mark stands at the beginning of a line', () => {
    for (const text of Object.values(all.get('fr') ?? {})) expect(text).not.toMatch(/[ \w][?!;:»](?!\/)|« /);
  });

  test('every sentence is used', () => {
    const unused = keys.filter((key) => {
      const counted = key.replace(/\.(one|other)$/, '');
      // Outcomes are said by what became of the sign-in.
      return !source.includes(`'${counted}'`) && !key.startsWith('outcome.');
    });
    expect(unused).toEqual([]);
  });

  test('no jargon, no straight quotes, nothing empty', () => {
    const jargon =
      /\b(tokens?|factors?|otp|totp|mfa|2fa|oauth|oidc|Faktor\w*|Einmalpass\w*|jetons?|facteurs?|factores|fattori)\b|'|"/;
    const notices = Object.values(NOTICE).flatMap(({ title, body }) => [title, body]);
    for (const text of [...[...all.values()].flatMap((sentences) => Object.values(sentences)), ...notices]) {
      expect(text).not.toMatch(jargon);
      expect(text.trim()).toBe(text);
      expect(text).not.toBe('');
    }
  });
});

test('the first of the phone’s languages that there are words in; English where there is none', async () => {
  expect((await wordsFor(['pt-PT', 'de-CH', 'en'])).language).toBe('de');
  expect((await wordsFor(['fr-CH', 'de-CH'])).language).toBe('fr');
  expect((await wordsFor(['pt', 'ja'])).language).toBe('en');
  expect((await wordsFor([])).language).toBe('en');
  expect(noticeIn('de-AT').title).toBe(NOTICE.de.title);
  expect(noticeIn('pt').title).toBe(NOTICE.en.title);
});

test('numbers, lengths of time and moments follow the language', () => {
  const en = createWords('en', EN);
  const [de, fr] = ['de', 'fr'].map((language) => createWords(language, all.get(language) ?? EN));
  expect(en.count('challenge.wrong', 1)).toContain('once more');
  expect(en.count('challenge.wrong', 2)).toContain('2 more times');
  expect([en.duration(1), en.duration(119), en.duration(120), de?.duration(600)]).toEqual([
    '1 second',
    '119 seconds',
    '2 minutes',
    '10 Minuten',
  ]);
  // Nothing is one, in French.
  expect(fr?.duration(0)).toBe('0 seconde');
  const noon = new Date(2026, 10, 24, 12, 0).getTime();
  expect(en.moment(new Date(2026, 10, 24, 9, 5).toISOString(), noon)).toBe('09:05');
  expect(de?.moment(new Date(2026, 10, 23, 9, 5).toISOString(), noon)).toBe('23. Nov., 09:05');
});
