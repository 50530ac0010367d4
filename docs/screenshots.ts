/**
 * Walks through the demonstration in a browser and writes the pictures of docs/screenshots/.
 * `npm run screenshots`; `npm run screenshots app` for those of the app on the phone alone
 */

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { generateSync } from 'otplib';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { runDemo } from '../src/demo/run.js';
import { projectRoot } from '../src/platform/paths.js';
import { withOpenSans } from './fonts.js';
import { overviewPage, PANEL, type Panel, SHEET } from './overview.js';
import { walkWithPhone } from './phone-pictures.js';
import { smallerPng } from './smaller-png.js';

const folder = join(projectRoot, 'docs/screenshots');
const work = mkdtempSync(join(tmpdir(), 'countersign-screenshots-'));

const LOOKS = {
  desk: { width: 960, height: 720, colorScheme: 'light', suffix: '' },
  phone: { width: 390, height: 780, colorScheme: 'dark', suffix: '-phone' },
} as const;
type Look = keyof typeof LOOKS;
type Demo = Awaited<ReturnType<typeof runDemo>>;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** The demonstration's settings on ports and data of their own, with an application of a third party for the consent page. */
async function writeConfig(): Promise<string> {
  const text = readFileSync(join(projectRoot, 'config/demo.yaml'), 'utf8');
  const [issuerPort, demoPort, textPort] = [await freePort(), await freePort(), await freePort()];
  const config = parse(
    text
      .replaceAll('localhost:4000', `localhost:${issuerPort}`)
      .replaceAll('localhost:4001', `localhost:${demoPort}`)
      .replaceAll('127.0.0.1:4002', `127.0.0.1:${textPort}`),
  );
  config.database.embeddedPath = join(work, 'data/mongodb');
  config.branding = {
    name: 'Countersign',
    companyName: 'Example Works',
    links: [{ label: 'Help', href: 'https://help.example/' }],
  };
  config.clients.push({
    client_id: 'partner',
    client_name: 'Expense Hub',
    token_endpoint_auth_method: 'none',
    redirect_uris: [`http://localhost:${demoPort}/callback`],
  });
  const file = join(work, 'demo.yaml');
  writeFileSync(file, stringify(config));
  return file;
}

const write = (name: string, png: Buffer, step?: number): void =>
  writeFileSync(join(folder, name), smallerPng(png, step));

async function shoot(page: Page, name: string, looks: readonly Look[], isWhole = false): Promise<void> {
  for (const look of looks) {
    const { width, height, colorScheme, suffix } = LOOKS[look];
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    write(`${name}${suffix}.png`, await page.screenshot({ fullPage: isWhole }));
  }
}

/** The page as it is now, small, for the README's picture. */
async function panel(page: Page, caption: string, colorScheme: 'light' | 'dark'): Promise<Panel> {
  const { width, height, scale } = PANEL;
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: scale, mobile: false });
  const { data } = await protocol.send('Page.captureScreenshot', { format: 'png' });
  await protocol.detach();
  return { caption, png: Buffer.from(data, 'base64') };
}

async function signIn(page: Page, password: string): Promise<void> {
  await page.fill('#password', password);
  await page.click('button.primary');
}

/** From the set-up page on, without pictures. */
async function setUp(page: Page): Promise<void> {
  await page.click('button[value=totp]');
  await page.waitForSelector('.qr');
  const secret = ((await page.textContent('#key')) ?? '').replace(/\s/g, '');
  await page.fill('#code', generateSync({ secret }));
  await page.click('button.primary');
  await page.waitForSelector('#number');
  await page.click('form[action$="/skip"] button');
  await page.waitForSelector('#codes');
  await page.fill('#code', (await page.textContent('#codes li')) ?? '');
  await page.click('button.primary');
}

/** A number that exists in films alone, and the code that the text to it holds. */
async function addNumber(page: Page, baseUrl: string): Promise<void> {
  await page.waitForSelector('#number');
  await page.fill('#number', '(202) 555-0142');
  await shoot(page, 'phone-number', ['desk', 'phone']);
  await page.click('button.primary');
  await page.waitForSelector('#code');
  await page.fill('#code', await codeOfLastText(page, baseUrl));
  await page.click('button.primary');
}

/** As the outbox of the demonstration shows it, once it is there. */
async function codeOfLastText(page: Page, baseUrl: string): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const [, code] = /#(\d{6})/.exec(await (await page.request.get(`${baseUrl}/outbox`)).text()) ?? [];
    if (code) return code;
    await page.waitForTimeout(100);
  }
  throw new Error('no text has arrived');
}

/** Monday morning: the employee at the list of other methods, the help desk in a browser of its own. */
async function lostPhone(employee: Page, helpDesk: Page, issuer: string): Promise<Panel[]> {
  await helpDesk.goto(`${issuer}/console`);
  await helpDesk.fill('#login', 'hugo@example.com');
  await signIn(helpDesk, 'amber-thistle-29');
  await setUp(helpDesk);
  await helpDesk.waitForSelector('.sections');

  await employee.click('text=Cannot confirm login');
  await employee.check('input[value=lost_or_stolen]');
  const panels = [await panel(employee, 'Say what happened', 'light')];
  await employee.click('button.primary');
  await employee.waitForSelector('.number');
  await shoot(employee, 'waiting', ['desk', 'phone']);
  panels.push(await panel(employee, 'Read the number out', 'light'));

  await helpDesk.goto(`${issuer}/console`);
  await helpDesk.waitForSelector('.queue');
  await shoot(helpDesk, 'console-queue', ['desk', 'phone']);
  await helpDesk.click('.queue a');
  await helpDesk.fill('#requestNumber', (await employee.textContent('.number')) ?? '');
  await helpDesk.check('input[value=called_number_on_file]', { force: true });
  await shoot(helpDesk, 'console-request', ['desk', 'phone'], true);
  panels.push(await panel(helpDesk, 'Check, and decide', 'dark'));
  await helpDesk.click('button[value=approved]');

  await employee.waitForSelector('button[value=totp]');
  await shoot(employee, 'approved', ['desk', 'phone']);
  panels.push(await panel(employee, 'In, and safe again', 'light'));
  return panels;
}

async function writeSheet(browser: Browser, name: string, panels: readonly Panel[]): Promise<void> {
  const sheet = await browser.newPage({ viewport: SHEET, deviceScaleFactor: 1 });
  await sheet.setContent(overviewPage(panels));
  write(name, await sheet.screenshot(), 3);
}

function consentRequest(issuer: string, baseUrl: string): string {
  const verifier = randomBytes(32).toString('base64url');
  const request = new URLSearchParams({
    client_id: 'partner',
    redirect_uri: `${baseUrl}/callback`,
    response_type: 'code',
    scope: 'openid profile email',
    state: 'consent',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    login_hint: 'cleo@example.com',
  });
  return `${issuer}/auth?${request}`;
}

/** The pages of sign-in, set-up and recovery, and the console. */
async function picturePages(browser: Browser, { issuer, baseUrl }: Demo): Promise<void> {
  const panels: Panel[] = [];
  const page = await browser.newPage({ deviceScaleFactor: 1.4 });

  await page.goto(`${baseUrl}/app/sign-in?ask=other&login_hint=anna@example.com`);
  await shoot(page, 'sign-in', ['desk', 'phone']);
  panels.push(await panel(page, 'Password', 'light'));
  await signIn(page, 'harbour-lantern-42');
  await page.click('button[value=totp]');
  await page.waitForSelector('.qr');
  await shoot(page, 'set-up', ['desk', 'phone'], true);
  panels.push(await panel(page, 'Set up once', 'light'));
  const secret = ((await page.textContent('#key')) ?? '').replace(/\s/g, '');
  await page.fill('#code', generateSync({ secret }));
  await page.click('button.primary');
  await addNumber(page, baseUrl);
  await page.waitForSelector('#codes');
  await shoot(page, 'recovery-codes', ['desk', 'phone'], true);
  panels.push(await panel(page, 'Recovery codes', 'light'));
  await page.fill('#code', (await page.textContent('#codes li')) ?? '');
  await page.click('button.primary');
  await page.waitForURL(`${baseUrl}/app`);
  await shoot(page, 'application', ['desk']);
  await page.goto(`${issuer}/account`);
  await shoot(page, 'security-page', ['desk', 'phone']);
  panels.push(await panel(page, 'Security page', 'dark'));

  await page.goto(`${baseUrl}/app/sign-in?ask=anew&login_hint=anna@example.com`);
  await signIn(page, 'harbour-lantern-42');
  await page.waitForSelector('#code');
  await shoot(page, 'second-step', ['desk', 'phone']);
  panels.push(await panel(page, 'Second step', 'dark'));
  await page.click('a[href$="/methods"]');
  await page.waitForSelector('.rows');
  await shoot(page, 'other-methods', ['desk', 'phone']);
  await page.click('a[href$="/with/sms"]');
  await page.click('form[action$="/send"] button');
  await page.waitForSelector('[data-state=delivered]');
  await shoot(page, 'code-by-sms', ['desk', 'phone']);
  await page.click('a[href$="/methods"]');
  await page.waitForSelector('.rows');

  const other = await browser.newPage({ deviceScaleFactor: 1.4 });
  await other.goto(consentRequest(issuer, baseUrl));
  await signIn(other, 'violet-anchor-88');
  await other.waitForSelector('button[value=allow]');
  await shoot(other, 'consent', ['desk']);

  const [security, step] = panels.splice(3);
  await writeSheet(browser, 'overview.png', [...panels, ...(step ? [step] : []), ...(security ? [security] : [])]);

  const helpDesk = await browser.newPage({ deviceScaleFactor: 1.4 });
  await writeSheet(browser, 'lost-phone.png', await lostPhone(page, helpDesk, issuer));
}

/** The app on the phone, and what the computer shows meanwhile. */
async function pictureApp(browser: Browser, { issuer, baseUrl }: Demo): Promise<void> {
  const panels: Panel[] = [];
  await walkWithPhone({
    browser,
    computer: await browser.newPage({ deviceScaleFactor: 1.4, viewport: { width: 390, height: 860 } }),
    issuer,
    baseUrl,
    login: 'ben@example.com',
    password: 'copper-meadow-17',
    async seen(page, name, caption) {
      if (name === 'approve') await shoot(page, 'app-approve', ['phone']);
      if (name === 'offline') await shoot(page, 'app-offline', ['phone']);
      if (name !== 'codes') panels.push(await panel(page, caption, name === 'offline' ? 'dark' : 'light'));
    },
  });
  await writeSheet(browser, 'app.png', panels);
}

const demo = await runDemo({ configFile: await writeConfig(), env: process.env, say: () => {} });
const browser = await playwright.launch({
  executablePath: await chromium.executablePath(),
  env: withOpenSans(work),
  args: ['--no-sandbox', '--font-render-hinting=none'],
});
try {
  mkdirSync(folder, { recursive: true });
  await pictureApp(browser, demo);
  if (process.argv[2] !== 'app') await picturePages(browser, demo);
} finally {
  await browser.close();
  await demo.stop();
  rmSync(work, { recursive: true, force: true });
}
