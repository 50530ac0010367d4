import type { compileTemplate } from 'pug';
import { type Notice, TO_ADMINISTRATORS } from '../notifications/contract.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Catalogue } from './i18n.js';
import { loadTemplate } from './templates.js';
import { accents, type Branding } from './theme.js';

export interface MailRequest {
  locale: string;
  /** How the mail greets. */
  name: string;
  /**
   * `link`; `at` and `until` (an ISO 8601 string or milliseconds since the epoch; `at` is now when absent); `method` (a method's id);
   * `left`; `percent`; `browser`; `who` (the name of somebody else); `country` (ISO 3166-1 alpha-2); words of closed lists.
   */
  params?: Readonly<Record<string, string | number>>;
  /** Where "This wasn't me" leads. */
  notMeHref?: string | undefined;
}

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** Sentences speak of what is known, and keep silent of the rest. */
const UNKNOWN = {
  left: 0,
  browser: 'none',
  method: 'none',
  until: 'none',
  who: '',
  circumstances: 'other',
  otherBrowsers: 'other',
  end: 'other',
  role: 'other',
  deed: 'other',
  percent: 0,
  country: '',
  label: 'none',
  replaced: 'none',
};

export type RenderMail = (notice: Notice, request: MailRequest) => RenderedMail;

/** One mail from the catalogue's sentences, as text and as HTML (`views/mail/<notice>.pug`). */
export function createMailRenderer(options: { catalogue: Catalogue; branding: Branding; clock?: Clock }): RenderMail {
  const { catalogue, branding, clock = systemClock } = options;
  const brand = branding.companyName ?? branding.name;
  const colours = accents(branding);
  const templates = new Map<Notice, compileTemplate>();

  return (notice, { locale: wanted, name, params = {}, notMeHref }) => {
    const locale = catalogue.pickLocale({ query: wanted });
    const t = catalogue.translator(locale);
    const values = {
      ...UNKNOWN,
      ...params,
      brand,
      ...(catalogue.has(`method.${params.method}.title`) ? { method: t(`method.${params.method}.title`) } : {}),
      ...(params.country === undefined ? {} : { country: catalogue.countryName(String(params.country), locale) }),
      at: params.at === undefined ? clock.now() : new Date(params.at),
      ...(params.until === undefined ? {} : { until: new Date(params.until) }),
    };
    const link = params.link === undefined ? undefined : String(params.link);
    const subject = t(`mail.${notice}.subject`, values);
    const greeting = t('mail.greeting', { name });
    const paragraphs = t(`mail.${notice}.text`, values).split('\n\n');
    const footer = t(TO_ADMINISTRATORS.has(notice) ? 'mail.footer_administrators' : 'mail.footer', { brand });

    let template = templates.get(notice);
    if (!template) {
      template = loadTemplate(`views/mail/${notice}.pug`);
      templates.set(notice, template);
    }
    const html = template({ t, locale, subject, greeting, paragraphs, link, notMeHref, brand, footer, ...colours });
    const text = [
      greeting,
      ...paragraphs,
      ...(link ? [`${t(`mail.${notice}.button`)}:\n${link}`] : []),
      ...(notMeHref ? [`${t('mail.not_me_text')}\n${notMeHref}`] : []),
      `-- \n${footer}`,
    ].join('\n\n');
    return { subject, text: `${text}\n`, html };
  };
}
