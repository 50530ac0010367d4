import type { compileTemplate } from 'pug';
import type { Notice } from '../notifications/contract.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Catalogue } from './i18n.js';
import { loadTemplate } from './templates.js';
import { accents, type Branding } from './theme.js';

export interface MailRequest {
  locale: string;
  /** How the mail greets. */
  name: string;
  /** `link`; `at` (an ISO 8601 string or milliseconds since the epoch; now when absent); `method` (a method's id); `left`; `browser`. */
  params?: Readonly<Record<string, string | number>>;
  /** Where "This wasn't me" leads. */
  notMeHref?: string | undefined;
}

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

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
    const method = String(params.method ?? '');
    const values = {
      left: 0,
      browser: 'none',
      ...params,
      brand,
      method: catalogue.has(`method.${method}.title`) ? t(`method.${method}.title`) : method,
      at: params.at === undefined ? clock.now() : new Date(params.at),
    };
    const link = params.link === undefined ? undefined : String(params.link);
    const subject = t(`mail.${notice}.subject`, values);
    const greeting = t('mail.greeting', { name });
    const paragraphs = t(`mail.${notice}.text`, values).split('\n\n');
    const footer = t('mail.footer', { brand });

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
