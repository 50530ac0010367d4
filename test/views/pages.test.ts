import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PAGE_ERRORS } from '../../src/errors.js';
import { loadAssets } from '../../src/http/assets.js';
import { type Catalogue, createCatalogue, readSentences, type Translate } from '../../src/http/i18n.js';
import { createMailRenderer } from '../../src/http/mail-view.js';
import { createRenderer, listViews } from '../../src/http/render.js';
import { NOTICES, TO_ADMINISTRATORS } from '../../src/notifications/contract.js';
import { projectRoot } from '../../src/platform/paths.js';
import { NOW, SAMPLES } from './samples.js';

const clock = { now: () => NOW };
const branding = { name: 'Countersign', links: [{ label: 'Help', href: 'https://help.example' }] };
const strict = createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en', isStrict: true });

/** The catalogue, remembering which sentences were asked for. */
const used = new Set<string>();
const remembering =
  (translate: Translate): Translate =>
  (key, params) => {
    used.add(key);
    return translate(key, params);
  };
const catalogue: Catalogue = {
  ...strict,
  translator: (locale) => remembering(strict.translator(locale)),
  richTranslator: (locale) => remembering(strict.richTranslator(locale)),
};
const assets = loadAssets();
const renderer = createRenderer({ catalogue, branding, assets, clock });
const renderMail = createMailRenderer({ catalogue, branding, clock });

const page = { path: '/some/page', csrf: 'csrf-value', nonce: 'nonce-value', requestId: 'request-1' };
const render = (name: string, locale: string, locals = SAMPLES[name]): string =>
  renderer.render(name.split('#')[0] ?? '', { ...page, locale }, locals);
const count = (html: string, pattern: RegExp): number => [...html.matchAll(pattern)].length;

test('every view has a sample, and warming up compiles them all', () => {
  const sampled = new Set(Object.keys(SAMPLES).map((name) => name.split('#')[0]));
  expect(listViews().filter((view) => !sampled.has(view))).toEqual([]);
  expect(() => renderer.warmUp()).not.toThrow();
});

describe.each(['en', 'de'])('pages in %s', (locale) => {
  test.each(Object.keys(SAMPLES))('%s', (name) => {
    const html = render(name, locale);
    expect(html).toContain(`<html lang="${locale}">`);
    expect(html).not.toMatch(/undefined|\[object|NaN|Invalid Date/);
    expect(count(html, /<h1[ >]/g)).toBe(1);
    // The Content-Security-Policy of the pages has no room for either.
    expect(html).not.toMatch(/<[^>]+ (style|on[a-z]+)=/i);
    expect(html).not.toMatch(/<style|<script(?![^>]+src=)|javascript:/i);
    expect(html).not.toMatch(/<(img|script|link)[^>]+(src|href)="(https?:)?\/\//i);

    for (const [, form = ''] of html.matchAll(/<form(.*?)<\/form>/gs)) {
      // A search asks and changes nothing: its address is all there is to it.
      if (form.includes('method="get"')) expect(form).not.toMatch(/csrf|method="post"/);
      else {
        expect(form).toMatch(/method="post" action="[^"]+"/);
        expect(form).toMatch(/name="(csrf" value="csrf-value|xsrf" value="x1)"/);
      }
      expect(form).toMatch(/<button[^>]+type="submit"/);
    }
    for (const [input] of html.matchAll(/<input(?![^>]*type="hidden")(?![^>]* hidden)[^>]*>/g)) {
      const id = /id="([^"]+)"/.exec(input)?.[1];
      expect(html).toContain(`<label for="${id}">`);
      for (const described of /aria-describedby="([^"]+)"/.exec(input)?.[1]?.split(' ') ?? []) {
        expect(html).toContain(`id="${described}"`);
      }
    }
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${target}"`);
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(Object.keys(PAGE_ERRORS))('error page of %s', (code) => {
    const html = render('error', locale, { code, requestId: 'request-1' });
    expect(html).toContain(strict.translator(locale)(`error.${code}.title`));
    expect(html).toContain('request-1');
    expect(used).toContain(`error.${code}.text`);
  });

  test.each(NOTICES)('mail of %s', (notice) => {
    const hasLink = ['invitation', 'password_reset', 'confirm_email'].includes(notice) || TO_ADMINISTRATORS.has(notice);
    const link = 'https://id.example/link/a?b=1&c=2';
    const notMeHref = hasLink ? undefined : 'https://id.example/not-me/x';
    const params = {
      at: NOW.toISOString(),
      method: 'totp',
      left: 1,
      country: 'LV',
      percent: 80,
      browser: 'Firefox <1>',
      ...(hasLink ? { link } : {}),
    };
    const mail = renderMail(notice, { locale, name: 'Anna <b>', params, notMeHref });
    expect(mail.subject).not.toBe('');
    expect(mail.text).toContain('Anna <b>');
    expect(mail.html).toContain('Anna &lt;b&gt;');
    expect(mail.html).not.toContain('<1>');
    expect(mail.text).toContain(hasLink ? link : notMeHref);
    expect(mail.html).toContain(hasLink ? link.replace('&', '&amp;') : notMeHref);
    expect(mail.html + mail.text).not.toMatch(/undefined|<script|Invalid Date/);
  });
});

test('a mail needs no more than the name', () => {
  for (const notice of NOTICES) {
    const { text } = renderMail(notice, { locale: 'de-AT', name: 'Anna' });
    expect(text).toMatch(/^Guten Tag Anna,/);
    expect(text).not.toMatch(/undefined|none/);
  }
});

test('the catalogue holds no sentence that nothing shows', () => {
  // Texts of messages stand on no page: test/plugins/sms/text.test.ts reads them.
  const onPages = Object.keys(readSentences('en')).filter((key) => !key.startsWith('sms.text.'));
  expect(onPages.filter((key) => !used.has(key))).toEqual([]);
});

test('nothing goes into a page unescaped but sentences of the catalogue and the QR code', () => {
  for (const folder of ['views', 'plugins']) {
    for (const file of readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.pug')) continue;
      const source = readFileSync(join(projectRoot, folder, file), 'utf8');
      expect(source).not.toMatch(/&attributes|!\{/);
      for (const [, expression] of source.matchAll(/!= *(?!=)([^\s(]+)/g)) {
        expect({ file, expression }).toEqual({ file, expression: expect.stringMatching(/^(rich|qrSvg)$/) });
      }
    }
  }
});

test('what a person or an application wrote is shown as text', () => {
  const evil = '<img src=x onerror=alert(1)>"\'';
  for (const name of Object.keys(SAMPLES)) {
    const html = render(name, 'en', replaceStrings(SAMPLES[name], evil));
    expect(html).not.toContain('<img src=x');
    expect(html).not.toMatch(/="[^"]*<img/);
  }
});

/** Every name, label, login and the like of a sample replaced; what chooses a sentence or is our own markup stays. */
function replaceStrings(locals: unknown, by: string): Record<string, unknown> {
  const free =
    /^(applicationName|login|label|labels|name|title|email|browser|ip|userAgent|contact|userCode|current|requested|codes|identifier|description|note|number|masked|usualHours|decisionReason|application)$/;
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return free.test(key) ? by : value;
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (value === null || typeof value !== 'object' || value instanceof Date) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name)]));
  };
  return walk(locals, '') as Record<string, unknown>;
}

test('a problem takes the focus and leads to its field', () => {
  const html = render('totp/enter#rejected', 'en');
  expect(html).toMatch(/id="problem" role="alert" tabindex="-1"/);
  expect(html).toMatch(/<a href="#code">That code did not work/);
  expect(html).toMatch(/<input[^>]+id="code"[^>]+aria-describedby="problem code-hint" aria-invalid="true"/);
  expect(html).toContain('<title>Problem: ');
});

test('the wait is said in words and as a clock time', () => {
  const html = render('sign-in#throttled', 'en');
  expect(html).toContain('You can try again in 45 seconds.');
  expect(html).toContain('data-countdown="45"');
  expect(html).toMatch(/<noscript>.*<time datetime="2026-11-23T09:00:45.000Z">.*<\/noscript>/);
});

test('a method that is switched off asks for nothing that would not be taken', () => {
  expect(render('app/enter', 'en')).toMatch(/class="number"/);
  const html = render('app/enter#disabled', 'en');
  expect(html).not.toMatch(/class="number"|class="qr"|id="fetch"/);
  expect(html).toContain('This method is switched off');
});

test('views of plugins go before folders of views, and nothing else is a view', () => {
  for (const name of ['../package', '/etc/passwd', 'totp/../enter', 'Sign-In', 'a/b/c', 'no-such-view']) {
    expect(() => render(name, 'en', {})).toThrow();
  }
});

test('addresses carry the base path and the version of the files', () => {
  const based = createRenderer({ catalogue, branding, assets, clock, basePath: '/id' });
  const html = based.render('logout-done', { ...page, locale: 'en', path: '/id/x?a=1' }, {});
  expect(html).toContain(`href="/id/assets/${assets.version}/countersign.css"`);
  expect(html).toContain('href="/id/x?a=1&amp;lang=de"');
});
