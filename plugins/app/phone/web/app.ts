import type { Brand } from './brand.js';
import { element, icon, note } from './elements.js';
import { EntryAbove } from './entry-above.js';
import type { Phone } from './phone.js';
import { LANGUAGES, type Words, wordsFor } from './words.js';

/** What fills the app until the next one. */
export interface Screen {
  nodes: (Node | string | false | undefined)[];
  /** Cards on the ground instead of one sheet. */
  isHome?: boolean;
  /** Every second. */
  tick?(): void;
  /** What the server says, or this phone holds, may have changed. */
  changed?(): void;
  /** Gives back what it holds, such as the camera. */
  leave?(): void;
}

export type View = (app: App) => Screen;

/** More than half a step of the codes, and they stop working. */
const CLOCK_LIMIT_MS = 20_000;

/** The heading of a screen: it takes the focus when the screen opens. */
export const heading = (text: string): HTMLHeadingElement => element('h1', { tabindex: '-1' }, text);

/** The frame around the screens, and the way between them. Back leads home from everywhere. */
export class App {
  readonly #main = element('main', { id: 'main' });
  readonly #banner = element('aside', { class: 'banner' });
  readonly #live = element('p', { class: 'quiet', role: 'status' });
  readonly #foot = element('footer');
  readonly #above: EntryAbove;
  #screen: Screen | undefined;
  #bannerText = '';
  /** A number that was scanned outside the app, for the sign-in that is opened next. */
  scannedNumber: string | undefined;
  /** Sign-ins that were looked at: whoever left one is not led back to it. */
  readonly opened = new Set<string>();

  constructor(
    readonly phone: Phone,
    readonly brand: Brand,
    public words: Words,
    private readonly homeView: View,
    /** The address of the app's folder. */
    folder: string,
  ) {
    const { name, logo } = brand;
    const picture = logo ? element('img', { src: logo, alt: '', height: '32' }) : icon('brand');
    const top = element('header', { class: 'brand' }, picture, element('span', {}, name));
    document.body.replaceChildren(top, this.#banner, this.#main, this.#foot, this.#live);
    this.#showLanguages();
    this.#above = new EntryAbove(history, folder);
    addEventListener('popstate', () => {
      if (!this.#above.settle()) this.#render(homeView);
    });
    setInterval(() => this.#screen?.tick?.(), 1000);
  }

  show(view: View): void {
    this.#render(view);
    this.#above.follow(true);
  }

  home(): void {
    this.#render(this.homeView);
    this.#above.follow(false);
  }

  get isHome(): boolean {
    return this.#screen?.isHome === true;
  }

  /** Speaks another language from now on. */
  async speak(language: string): Promise<void> {
    this.words = await wordsFor([language]);
    this.#bannerText = '';
    this.#showLanguages();
    this.#render(this.homeView);
    this.#foot.querySelector('select')?.focus();
    await this.phone.keepLanguage(language);
  }

  /** Says something to those who listen instead of looking. */
  announce(text: string): void {
    this.#live.textContent = text;
  }

  changed(): void {
    this.#showBanner();
    this.#screen?.changed?.();
  }

  #render(view: View): void {
    this.#screen?.leave?.();
    const screen = view(this);
    this.#screen = screen;
    document.body.classList.toggle('home', screen.isHome === true);
    this.#main.replaceChildren(...screen.nodes.filter((node) => node !== false && node !== undefined));
    const title = this.#main.querySelector('h1');
    document.title = `${title?.textContent} · ${this.brand.name}`;
    // Where nothing is half done.
    this.#foot.hidden = view !== this.homeView;
    scrollTo(0, 0);
    title?.focus({ preventScroll: true });
    this.#showBanner();
  }

  #showLanguages(): void {
    const { words } = this;
    document.documentElement.lang = words.language;
    const select = element(
      'select',
      { id: 'language', change: () => this.speak(select.value) },
      ...Object.entries(LANGUAGES).map(([code, { name }]) =>
        element('option', { value: code, lang: code, selected: code === words.language }, name),
      ),
    );
    this.#foot.replaceChildren(element('label', { for: 'language' }, words.say('language')), select);
  }

  #showBanner(): void {
    const { phone, words } = this;
    const wrongBy = Math.abs(phone.offsetMs ?? 0);
    const texts = [
      phone.isOffline ? words.say('banner.offline') : '',
      wrongBy > CLOCK_LIMIT_MS && phone.accounts.length > 0
        ? words.say('banner.clock', { time: words.duration(Math.round(wrongBy / 1000)) })
        : '',
    ];
    const text = texts.join('|');
    if (text === this.#bannerText) return;
    this.#bannerText = text;
    const [offline, clock] = texts;
    this.#banner.replaceChildren(
      ...(offline ? [note('warn', 'offline', offline)] : []),
      ...(clock ? [note('warn', 'clock', clock)] : []),
    );
    if (offline) this.announce(offline);
  }
}
