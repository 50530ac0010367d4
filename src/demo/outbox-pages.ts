import type Router from '@koa/router';
import { findStoredMail, listStoredMails } from '../notifications/index.js';
import type { Database } from '../platform/database.js';
import { listTexts } from './texts.js';
import type { ShowPage } from './web/pages.js';

/** Mails may style themselves; they load, run and submit nothing. */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'";

/** The addresses in a mail's text, each once, to be opened by a button. */
export function linksIn(text: string): string[] {
  const found = text.match(/https?:\/\/[^\s<>"]+/g) ?? [];
  return [...new Set(found.map((link) => link.replace(/[.,;:!?)\]]+$/, '')))];
}

/** The mailbox and the phone of everybody in the demonstration. */
export function mountOutbox(router: Router, { database, show }: { database: Database; show: ShowPage }): void {
  router.get('/outbox', async (ctx) => {
    const [mails, texts] = await Promise.all([listStoredMails(database), listTexts(database)]);
    const items = [...mails, ...texts].sort((one, other) => other.at.getTime() - one.at.getTime());
    show(ctx, 'outbox', { items });
  });

  router.get('/outbox/:id', async (ctx) => {
    const mail = await findStoredMail(database, ctx.params.id ?? '');
    if (mail) show(ctx, 'mail', { mail, links: linksIn(mail.text) });
  });

  router.get('/outbox/:id/html', async (ctx) => {
    const mail = await findStoredMail(database, ctx.params.id ?? '');
    if (!mail) return;
    ctx.set('Content-Security-Policy', MAIL_POLICY);
    ctx.type = 'html';
    ctx.body = `<!doctype html><base target="_blank">${mail.html}`;
  });
}
