import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { compileTemplate } from 'pug';
import { type Clock, systemClock } from '../platform/clock.js';
import { projectRoot } from '../platform/paths.js';
import type { Assets } from './assets.js';
import type { Catalogue, Translate } from './i18n.js';
import { loadTemplate } from './templates.js';
import type { Branding } from './theme.js';

/** What every page is made with, beside its own locals. */
export interface PageContext {
  /** A language of the catalogue. */
  locale: string;
  /** The page's own path as the browser sees it, query included where it matters: where the language switch leads back to. */
  path: string;
  /** Value of the hidden field of every form. */
  csrf: string;
  /** CSP nonce of this answer. */
  nonce: string;
  requestId: string;
  applicationName?: string | undefined;
}

export interface Renderer {
  /**
   * @param view `sign-in` for `views/sign-in.pug`; `<method>/<page>` for a page of a plugin, which goes before a folder of `views/`.
   * @throws Error when there is no such view.
   */
  render(view: string, page: PageContext, locals?: Readonly<Record<string, unknown>>): string;
  /** Compiles every page, so that the first visitor does not wait and a broken page is found at start-up. */
  warmUp(): void;
}

const VIEW = /^[a-z][a-z_-]*(\/[a-z][a-z_-]*)?$/;

/** The file of a view, relative to the project. */
function viewPath(view: string): string {
  if (!VIEW.test(view)) throw new Error(`${view} is no name of a view`);
  const [folder = '', page] = view.split('/');
  const plugin = join('plugins', folder.replaceAll('_', '-'), 'views');
  if (page && existsSync(join(projectRoot, plugin))) return join(plugin, `${page}.pug`);
  return join('views', `${view}.pug`);
}

/** Names of all pages there are, mails left out. */
export function listViews(): string[] {
  const pages = (folder: string, prefix: string): string[] =>
    readdirSync(join(projectRoot, folder))
      .filter((name) => name.endsWith('.pug'))
      .map((name) => prefix + name.slice(0, -'.pug'.length));
  const folders = (folder: string): string[] =>
    readdirSync(join(projectRoot, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  const own = folders('views').filter((name) => !['assets', 'locales', 'mail', 'parts'].includes(name));
  const plugins = folders('plugins').filter((name) => existsSync(join(projectRoot, 'plugins', name, 'views')));
  return [
    ...pages('views', '').filter((name) => name !== 'layout'),
    ...own.flatMap((name) => pages(`views/${name}`, `${name}/`)),
    ...plugins.flatMap((name) => pages(`plugins/${name}/views`, `${name.replaceAll('-', '_')}/`)),
  ];
}

/** "45 seconds", "2 minutes", "1 hour", rounded up: what a person waits for. */
function spokenDuration(seconds: number, t: Translate): string {
  const [unit, size] =
    seconds < 100
      ? (['seconds', 1] as const)
      : seconds < 5_400
        ? (['minutes', 60] as const)
        : (['hours', 3600] as const);
  return t(`duration.${unit}`, { count: Math.max(1, Math.ceil(seconds / size)) });
}

/** @param options.basePath path of the issuer, without a slash at its end. */
export function createRenderer(options: {
  catalogue: Catalogue;
  branding: Branding;
  assets: Assets;
  basePath?: string;
  clock?: Clock;
  /** Where templates come from, by path relative to the project. */
  load?: (path: string) => compileTemplate;
}): Renderer {
  const { catalogue, branding, assets, basePath = '', clock = systemClock, load = loadTemplate } = options;
  const templates = new Map<string, compileTemplate>();
  const template = (view: string): compileTemplate => {
    let compiled = templates.get(view);
    if (!compiled) {
      compiled = load(viewPath(view));
      templates.set(view, compiled);
    }
    return compiled;
  };
  const url = (path: string): string => basePath + path;
  const brand = { ...branding, title: branding.companyName ?? branding.name, logoAsset: assets.logo };

  return {
    render(view, page, locals = {}) {
      const { locale } = page;
      const t = catalogue.translator(locale);
      return template(view)({
        applicationName: page.applicationName,
        ...locals,
        t,
        rich: catalogue.richTranslator(locale),
        locale,
        languages: catalogue.locales.map((code) => ({
          code,
          name: catalogue.languageName(code),
          href: `${page.path}${page.path.includes('?') ? '&' : '?'}lang=${code}`,
        })),
        brand,
        hasTheme: assets.files.has('theme.css'),
        csrf: page.csrf,
        nonce: page.nonce,
        requestId: page.requestId,
        url,
        asset: (name: string) => url(`/assets/${assets.version}/${name}`),
        has: catalogue.has,
        methodName: (id: string) => (catalogue.has(`method.${id}.title`) ? t(`method.${id}.title`) : id),
        formatDateTime: (date: Date) => catalogue.formatDateTime(date, locale),
        secondsUntil: (date: Date) => Math.max(0, Math.ceil((date.getTime() - clock.now().getTime()) / 1000)),
        duration: (seconds: number) => spokenDuration(seconds, t),
        /** @param code ISO 3166-1 alpha-2. */
        countryName: (code: string) => catalogue.countryName(code, locale),
        /** @param currency ISO 4217. */
        money: (amount: string, currency: string) =>
          new Intl.NumberFormat(locale, { style: 'currency', currency }).format(Number(amount)),
        list: (items: string[]) => new Intl.ListFormat(locale, { type: 'conjunction' }).format(items),
      });
    },
    warmUp() {
      for (const view of listViews()) template(view);
    },
  };
}
