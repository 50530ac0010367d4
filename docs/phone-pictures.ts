import type { Browser, Page } from 'playwright-core';

/** The demonstration, and the computer in front of which somebody sits. */
export interface PhoneWalk {
  browser: Browser;
  computer: Page;
  issuer: string;
  baseUrl: string;
  login: string;
  password: string;
  /** The phone's language. */
  locale?: string;
  /** Called at each screen worth a picture. */
  seen(
    page: Page,
    name: 'digits' | 'number' | 'approve' | 'approved' | 'codes' | 'offline',
    caption: string,
  ): Promise<void>;
}

const ANDROID =
  'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';

/** Sets a phone up, confirms a sign-in with it, and takes its network away. */
export async function walkWithPhone(walk: PhoneWalk): Promise<void> {
  const { browser, computer, baseUrl, login, password, locale = 'en-GB', seen } = walk;
  const context = await browser.newContext({
    viewport: { width: 390, height: 780 },
    deviceScaleFactor: 1.4,
    userAgent: ANDROID,
    isMobile: true,
    hasTouch: true,
    serviceWorkers: 'block',
    locale,
  });
  const phone = await context.newPage();
  const enterPassword = async (): Promise<void> => {
    await computer.fill('#password', password);
    await computer.click('button.primary');
  };

  await computer.goto(`${baseUrl}/app/sign-in?ask=other&login_hint=${login}`);
  await enterPassword();
  await computer.click('button[value=app]');
  await computer.waitForSelector('.qr');
  await phone.goto((await computer.getAttribute('a[href*="/app/pair#"]', 'href')) ?? '');
  await phone.click('button.primary');
  await phone.waitForSelector('output:has-text(" ")');
  await seen(phone, 'digits', 'Set up once');
  await computer.fill('#digits', (await phone.textContent('output')) ?? '');
  await computer.click('button.primary');
  await phone.click('button.primary');
  await phone.waitForSelector('.code-now:has-text(" ")');

  await computer.goto(`${baseUrl}/app/sign-in?ask=anew&login_hint=${login}`);
  if (await computer.isVisible('#password')) await enterPassword();
  await computer.waitForSelector('.number');
  await seen(computer, 'number', 'The page shows a number');
  await phone.waitForSelector('#number');
  await phone.fill('#number', (await computer.textContent('.number')) ?? '');
  await seen(phone, 'approve', 'Type it on the phone');
  await phone.click('form button.primary');
  await phone.waitForSelector('.emblem.good');
  await seen(phone, 'approved', 'Approved');
  await phone.click('button.primary');
  await phone.waitForSelector('.code-now:has-text(" ")');
  await seen(phone, 'codes', 'Accounts');
  await context.setOffline(true);
  await phone.waitForSelector('.banner .note');
  await seen(phone, 'offline', 'Codes without a network');
  await context.close();
}
