import { EN, type SentenceKey, type Sentences } from './sentences/en.js';

export type Params = Readonly<Record<string, string | number>>;
/** Keys that have a form for one and a form for many. */
export type CountedKey = SentenceKey extends infer Key ? (Key extends `${infer Base}.other` ? Base : never) : never;

/** The app's words in one language. */
export interface Words {
  /** BCP 47. */
  language: string;
  say(key: SentenceKey, params?: Params): string;
  /** With the form that the number takes; `{count}` stands for it. */
  count(key: CountedKey, count: number, params?: Params): string;
  /** A length of time as people say it: seconds below two minutes, whole minutes from there. */
  duration(seconds: number): string;
  /** The time of day, with the date where it is not today's. @param now milliseconds since the epoch */
  moment(iso: string, now: number): string;
}

interface Language {
  /** As those who speak it write it. */
  name: string;
  load(): Promise<Sentences>;
}

/** A language is one line here and one file beside the English, its notice included. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  en: { name: 'English', load: async () => EN },
  de: { name: 'Deutsch', load: async () => (await import('./sentences/de.js')).DE },
  fr: { name: 'Français', load: async () => (await import('./sentences/fr.js')).FR },
  es: { name: 'Español', load: async () => (await import('./sentences/es.js')).ES },
  it: { name: 'Italiano', load: async () => (await import('./sentences/it.js')).IT },
};

const fill = (sentence: string, params: Params): string =>
  sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));

export function createWords(language: string, sentences: Sentences): Words {
  const rules = new Intl.PluralRules(language);
  const say = (key: SentenceKey, params: Params = {}): string => fill(sentences[key], params);
  const count = (key: CountedKey, number: number, params: Params = {}): string => {
    const exact = `${key}.${rules.select(number)}`;
    return say((exact in sentences ? exact : `${key}.other`) as SentenceKey, { ...params, count: number });
  };
  // English with its day first: it cannot be misread on either side of the Atlantic.
  const dates = language === 'en' ? 'en-GB' : language;
  return {
    language,
    say,
    count,
    duration: (seconds) =>
      seconds < 120 ? count('time.seconds', Math.ceil(seconds)) : count('time.minutes', Math.round(seconds / 60)),
    moment(iso, now) {
      const at = new Date(iso);
      const isToday = at.toDateString() === new Date(now).toDateString();
      return new Intl.DateTimeFormat(dates, {
        ...(isToday ? {} : { day: 'numeric', month: 'short' }),
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      }).format(at);
    },
  };
}

/** The first of these languages that there are words in. @param wishes BCP 47, best first */
export async function wordsFor(wishes: readonly string[]): Promise<Words> {
  const language = wishes.map((wish) => wish.slice(0, 2).toLowerCase()).find((wish) => wish in LANGUAGES) ?? 'en';
  // Without a network and without a copy of it, English is better than nothing.
  const sentences = await LANGUAGES[language]?.load().catch(() => undefined);
  return createWords(sentences ? language : 'en', sentences ?? EN);
}
