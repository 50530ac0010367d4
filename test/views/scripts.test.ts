import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { loadAssets } from '../../src/http/assets.js';
import { createCatalogue } from '../../src/http/i18n.js';
import { createRenderer } from '../../src/http/render.js';
import { NOW, SAMPLES } from './samples.js';

const assets = loadAssets();
const renderer = createRenderer({
  catalogue: createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en', isStrict: true }),
  branding: { name: 'Countersign' },
  assets,
  clock: { now: () => NOW },
});

let server: Server;
let browser: Browser;
let origin = '';
let posts: string[] = [];
let gets = 0;
/** What is answered from now on, whatever page was asked for. */
let shown: string | undefined;
/** Pages that wait to be told of a change. */
let listening: ServerResponse[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    const asset = assets.files.get(pathname.split('/').at(-1) ?? '');
    if (asset) return response.setHeader('content-type', asset.type).end(asset.body);
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      // Slow enough for a second press.
      return request.on('end', () => {
        posts.push(body);
        setTimeout(() => response.setHeader('content-type', 'text/html').end('<p>done</p>'), 400);
      });
    }
    if (pathname.endsWith('/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      listening.push(response);
      return undefined;
    }
    gets += 1;
    const name = shown ?? decodeURIComponent(search.slice(1));
    const page = { locale: 'en', path: '/', csrf: 'c', nonce: 'n', requestId: 'r' };
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader(
      'content-security-policy',
      "default-src 'none'; script-src 'self' 'nonce-n'; style-src 'self'; img-src 'self' data:; connect-src 'self'",
    );
    return response.end(renderer.render(name.split('#')[0] ?? '', page, SAMPLES[name]));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

async function open(name: string, options: { javaScriptEnabled?: boolean; timezoneId?: string } = {}): Promise<Page> {
  posts = [];
  listening = [];
  shown = undefined;
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') throw new Error(message.text());
  });
  await page.goto(`${origin}/?${encodeURIComponent(name)}`);
  return page;
}

test('a problem takes the focus, and its line leads to the field', async () => {
  const page = await open('totp/enter#rejected');
  expect(await page.evaluate('document.activeElement.id')).toBe('problem');
  await page.click('#problem a');
  expect(await page.evaluate('document.activeElement.id')).toBe('code');
  await page.context().close();
});

test('a double submit sends one form, with the name of the button pressed', async () => {
  const page = await open('consent');
  await page.evaluate(
    "{ const press = () => document.querySelector('button[value=allow]')?.click(); press(); setTimeout(press, 150); }",
  );
  await page.waitForSelector('text=done');
  expect(posts).toEqual(['csrf=c&decision=allow']);
  await page.context().close();
});

test('Show password shows it, and hides it again before it is sent', async () => {
  const page = await open('sign-in');
  await page.fill('#login', 'anna');
  await page.fill('#password', 'secret');
  await page.click('text=Show');
  expect(await page.getAttribute('#password', 'type')).toBe('text');
  expect(await page.getAttribute('.reveal', 'aria-label')).toBe('Hide password');
  await page.evaluate(
    "addEventListener('submit', () => { sessionStorage.type = document.getElementById('password').type; })",
  );
  await page.press('#password', 'Enter');
  await page.waitForSelector('text=done');
  expect(await page.evaluate('sessionStorage.type')).toBe('password');
  expect(posts).toEqual(['csrf=c&login=anna&password=secret']);
  await page.context().close();
});

test('the wait counts down and says when it is over', async () => {
  const page = await open('sign-in#throttled');
  await page.waitForSelector('text=/\\(00:4\\d\\)/');
  await page.clock.install();
  await page.reload();
  await page.clock.fastForward(46_000);
  expect(await page.textContent('#problem')).toContain('You can try again now.');
  await page.context().close();
});

test('times are told in the zone of the reader', async () => {
  const page = await open('not-me', { timezoneId: 'America/New_York' });
  expect(await page.textContent('time')).toMatch(/^23 Nov 2026, 03:30 /);
  await page.context().close();
});

test('recovery codes are downloaded as a file that holds them all', async () => {
  const page = await open('recovery_code/enrol');
  const waiting = page.waitForEvent('download');
  await page.click('text=Download');
  const download = await waiting;
  expect(download.suggestedFilename()).toBe('recovery-codes.txt');
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines[0]).toMatch(/^Recovery codes · Countersign/);
  expect(lines.slice(2)).toEqual(SAMPLES['recovery_code/enrol']?.codes);
  await page.context().close();
});

test('the key of an authenticator is copied without its spaces', async () => {
  const page = await open('totp/enrol');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.click('text=I cannot scan it');
  await page.click('[data-do=copy]');
  await page.waitForSelector('text=Copied');
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP');
  await page.context().close();
});

test('without JavaScript nothing that needs it is shown, and the forms work', async () => {
  const page = await open('recovery_code/enrol', { javaScriptEnabled: false });
  expect(await page.locator('button:visible').allTextContents()).toEqual(['Finish']);
  await page.fill('#code', '7KQX-M2RD-9VTH-C4WN');
  await page.click('text=Finish');
  await page.waitForSelector('text=done');
  expect(posts).toEqual(['csrf=c&code=7KQX-M2RD-9VTH-C4WN']);
  await page.context().close();
});

test('a page from the back-forward cache is asked for again', async () => {
  const page = await open('sign-in');
  const before = gets;
  await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
  await page.waitForLoadState('load');
  await page.waitForTimeout(200);
  expect(gets).toBe(before + 1);
  await page.context().close();
});

test('a part that changes by itself is replaced alone, read out on change only, and followed to its end', async () => {
  const page = await open('sms/enter#sending');
  await page.clock.install();
  await page.reload();
  await page.fill('#code', '123');
  await page.evaluate(
    "window.changes = 0; new MutationObserver(() => { changes += 1; }).observe(document.getElementById('message'), { childList: true })",
  );
  const tick = async () => {
    const asked = gets;
    await page.clock.runFor(2_000);
    await page.waitForTimeout(150);
    return gets - asked;
  };
  expect(await tick()).toBe(1);
  expect(await page.evaluate('changes')).toBe(0);
  shown = 'sms/enter#slow';
  expect(await tick()).toBe(1);
  expect(await page.textContent('#message')).toContain('takes longer than usual');
  expect(await page.getAttribute('#message', 'role')).toBe('status');
  shown = 'sms/enter#delivered';
  expect(await tick()).toBe(1);
  expect(await page.textContent('#message')).toContain('has arrived');
  expect(await page.evaluate('changes')).toBe(2);
  expect(await tick()).toBe(0);
  expect(await page.inputValue('#code')).toBe('123');
  await page.context().close();
});

test('a part that changes by itself rests while nobody looks, and is left alone after 90 seconds', async () => {
  const page = await open('sms/enter#sending');
  await page.clock.install();
  await page.reload();
  const hide = (isHidden: boolean) =>
    page.evaluate(
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
    );
  await hide(true);
  const before = gets;
  await page.clock.runFor(20_000);
  await page.waitForTimeout(150);
  expect(gets).toBe(before);
  await hide(false);
  await page.waitForTimeout(150);
  expect(gets).toBe(before + 1);
  for (let round = 0; round < 50; round += 1) {
    await page.clock.runFor(2_000);
    await page.waitForTimeout(30);
  }
  expect(gets - before).toBe(45);
  await page.context().close();
});

test('the page of a QR code waits for the phone as long as the code is good, and goes on to the digits by itself', async () => {
  const page = await open('app/enrol');
  await page.clock.install();
  await page.reload();
  const before = gets;
  for (let round = 0; round < 60; round += 1) {
    await page.clock.runFor(2_000);
    await page.waitForTimeout(30);
  }
  expect(gets - before).toBe(60);
  expect(await page.isVisible('.qr')).toBe(true);
  shown = 'app/enrol#found';
  await page.clock.runFor(2_000);
  await page.waitForSelector('#digits');
  expect(await page.isVisible('.qr')).toBe(false);
  expect(await page.textContent('#pairing')).toContain('Pixel 9');
  const asked = gets;
  await page.clock.runFor(10_000);
  await page.waitForTimeout(150);
  expect(gets).toBe(asked);
  await page.fill('#digits', '123456');
  await page.click('button.primary');
  await page.waitForSelector('text=done');
  expect(posts.at(-1)).toBe('csrf=c&digits=123456');
  await page.context().close();
});

test('nothing to type is left where nothing will come', async () => {
  const page = await open('sms/enter#sending');
  await page.clock.install();
  await page.reload();
  shown = 'sms/enter#failed-unreachable';
  await page.clock.runFor(2_000);
  await page.waitForSelector('text=could not be reached');
  expect(await page.isVisible('#code')).toBe(false);
  expect(await page.isVisible('text=Use another login method')).toBe(true);
  await page.context().close();
});

test('a button that has to wait is held until then; without JavaScript it says when', async () => {
  const page = await open('sms/enter#sent');
  await page.clock.install();
  await page.reload();
  expect(await page.isDisabled('#again')).toBe(true);
  await page.clock.fastForward(31_000);
  expect(await page.isDisabled('#again')).toBe(false);
  await page.context().close();
  const plain = await open('sms/enter#sending', { javaScriptEnabled: false });
  expect(await plain.isDisabled('#again')).toBe(false);
  expect(await plain.locator('noscript meta, head meta[http-equiv=refresh]').count()).toBe(1);
  expect(await plain.textContent('.again')).toContain('That is at 23 Nov 2026');
  await plain.context().close();
});

/** The server shows another page from now on, and says so to whoever listens. */
async function changed(name: string, what = ''): Promise<void> {
  for (let tries = 0; listening.length === 0 && tries < 100; tries += 1)
    await new Promise((soon) => setTimeout(soon, 20));
  shown = name;
  for (const response of listening.splice(0)) response.end(`event: changed\ndata:${what}\n\n`);
}

test('a sign-in that is confirmed on the phone goes on by itself, once; any other answer is shown and says what to do', async () => {
  const page = await open('app/enter');
  expect(await page.textContent('.number')).toBe('482 915');
  await changed('app/enter#postponed');
  await page.waitForSelector('text=Get a new number');
  expect(await page.textContent('h1')).toBe('Not confirmed yet');
  expect(await page.locator('.number').count()).toBe(0);
  expect(await page.getAttribute('#confirmation', 'role')).toBe('status');
  expect(posts).toEqual([]);

  shown = undefined;
  await page.reload();
  await changed('app/enter#approved');
  await page.waitForSelector('text=done');
  expect(posts).toEqual(['csrf=c']);
  await page.context().close();
});

test('a page that is told that it is confirmed goes on without another look', async () => {
  const page = await open('app/enter');
  const before = gets;
  await changed('app/enter#approved', 'answered');
  await page.waitForSelector('text=done');
  expect({ posts, looks: gets - before }).toEqual({ posts: ['csrf=c'], looks: 0 });
  await page.context().close();
});

test('a page that listens asks for nothing meanwhile: only when it is looked at again, and when the time is over', async () => {
  const page = await open('app/enter');
  await page.clock.install();
  await page.reload();
  const before = gets;
  const elapse = async (ms: number) => {
    await page.clock.runFor(ms);
    await page.waitForTimeout(150);
    return gets - before;
  };
  expect(await elapse(100_000)).toBe(0);
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  expect(await elapse(0)).toBe(1);
  expect(await elapse(100_000)).toBe(1);
  shown = 'app/enter#expired';
  // Asked for, and as it is another state, loaded.
  expect(await elapse(25_000)).toBe(3);
  expect(await page.textContent('h1')).toBe('This number is no longer good');
  expect(await elapse(300_000)).toBe(3);
  await page.context().close();
});

test('confirmed before the page was there: it goes on at once; not where it was just refused', async () => {
  const page = await open('app/enter#approved');
  await page.waitForSelector('text=done');
  expect(posts).toEqual(['csrf=c']);
  await page.context().close();
  posts = [];
  const held = await open('app/enter#approved-throttled');
  await held.waitForTimeout(500);
  expect(posts).toEqual([]);
  await held.context().close();
});

test('without JavaScript the page of the app looks again by itself while it waits, and the person goes on', async () => {
  const refreshes = async (name: string) => {
    const page = await open(name, { javaScriptEnabled: false });
    const count = await page.locator('noscript meta, head meta[http-equiv=refresh]').count();
    const buttons = await page.locator('main button').allTextContents();
    await page.context().close();
    return { count, first: buttons[0] };
  };
  expect(await refreshes('app/enter')).toEqual({ count: 1, first: 'I have confirmed' });
  expect(await refreshes('app/enter#approved')).toEqual({ count: 0, first: 'Continue' });
  expect(await refreshes('app/enter#expired')).toEqual({ count: 0, first: 'Get a new number' });
});
