/**
 * Writes every page and mail with its samples to a folder, takes pictures (phone and desk, light and dark) and runs axe-core.
 * After `npm run build`: `node dist/test/support/preview.js FOLDER [PART OF A NAME]`
 */

import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import { loadAssets } from '../../src/http/assets.js';
import { createCatalogue } from '../../src/http/i18n.js';
import { createMailRenderer } from '../../src/http/mail-view.js';
import { createRenderer } from '../../src/http/render.js';
import { NOTICES, TO_ADMINISTRATORS } from '../../src/notifications/contract.js';
import { projectRoot } from '../../src/platform/paths.js';
import { NOW, SAMPLES } from '../views/samples.js';

const [folder = 'preview', filter = '', ...flags] = process.argv.slice(2);
const clock = { now: () => NOW };
const branding = {
  name: 'Countersign',
  companyName: 'Example GmbH',
  links: [{ label: 'Help', href: 'https://help.example' }],
  ...(flags.includes('--accent') ? { accent: '#ff8800' } : {}),
};
const catalogue = createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en', isStrict: true });
const assets = loadAssets(branding);
const renderer = createRenderer({ catalogue, branding, assets, clock });
const mail = createMailRenderer({ catalogue, branding, clock });

const pages = new Map<string, string>();
for (const [name, locals] of Object.entries(SAMPLES)) {
  for (const locale of catalogue.locales) {
    const page = { locale, path: '/page', csrf: 'c', nonce: 'n', requestId: '7f3a19c2b4d8' };
    pages.set(
      `${name.replaceAll('/', '.').replace('#', '--')}.${locale}`,
      renderer.render(name.split('#')[0] ?? '', page, locals),
    );
  }
}
for (const notice of NOTICES) {
  const link = ['invitation', 'password_reset', 'confirm_email'].includes(notice) || TO_ADMINISTRATORS.has(notice);
  const params = {
    method: 'totp',
    left: 2,
    browser: 'Firefox on Windows',
    until: NOW.getTime() + 86_400_000,
    who: 'Ben Okafor',
    circumstances: 'lost_or_stolen',
    end: 'set_up',
    role: 'helpdesk',
    deed: 'suspension_started',
    percent: 80,
    country: 'LV',
    ...(link ? { link: 'https://id.example.com/link/k3TqPz7dV0aYw1' } : {}),
  };
  const notMeHref = link ? undefined : 'https://id.example.com/not-me/abc';
  for (const locale of catalogue.locales) {
    pages.set(`mail.${notice}.${locale}`, mail(notice, { locale, name: 'Anna Berger', params, notMeHref }).html);
  }
}

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
  const asset = assets.files.get(path.split('/').at(-1) ?? '');
  if (asset) return response.setHeader('content-type', asset.type).end(asset.body);
  if (path.endsWith('/events')) return response.setHeader('content-type', 'text/event-stream').write(':\n\n');
  response.setHeader('content-type', 'text/html; charset=utf-8');
  if (!path.startsWith('/mail.')) {
    response.setHeader(
      'content-security-policy',
      "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  }
  return response.end(pages.get(path.slice(1)) ?? '');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

mkdirSync(folder, { recursive: true });
const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  args: ['--no-sandbox', '--font-render-hinting=none'],
});
const axe = readFileSync(join(projectRoot, 'node_modules/axe-core/axe.min.js'), 'utf8');
let problems = 0;
for (const [device, width] of [
  ['phone', 390],
  ['desk', 1200],
  ['narrow', 320],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({
      viewport: { width, height: device === 'desk' ? 800 : 780 },
      colorScheme,
      bypassCSP: false,
    });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      problems += 1;
      console.log(`${page.url()}: ${message.text()}`);
    });
    for (const name of pages.keys()) {
      if (!name.includes(filter)) continue;
      await page.goto(`${origin}/${name}`);
      if (device !== 'narrow')
        await page.screenshot({ path: join(folder, `${name}.${device}.${colorScheme}.png`), fullPage: true });
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(overflow) > 0) {
        problems += 1;
        console.log(`${name} ${device}: ${overflow} px too wide`);
      }
      if (device === 'phone') {
        await page.evaluate(axe);
        const found = (await page.evaluate('axe.run()')) as {
          violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
        };
        for (const { id, nodes } of found.violations) {
          problems += 1;
          console.log(
            `${name} ${colorScheme}: ${id}\n  ${nodes.map(({ html, failureSummary }) => `${html}\n  ${failureSummary}`).join('\n  ')}`,
          );
        }
      }
    }
    await context.close();
  }
}
for (const [name, html] of pages) writeFileSync(join(folder, `${name}.html`), html);
await browser.close();
server.closeAllConnections();
server.close();
console.log(`${pages.size} pages, ${problems} problems`);
process.exitCode = problems ? 1 : 0;
