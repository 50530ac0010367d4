/** The relying applications of `examples/`, each as its page in `docs/connect/` starts it, in a browser against the server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launch } from '../browser/person.js';
import { person as enrolled } from '../security/support.js';
import { freePort, PASSWORD, startApp, type TestApp } from '../support/app.js';
import { EXAMPLES, type Example } from './relying-applications.js';

jest.setTimeout(60_000);

const SECRET = 'secret-of-the-example-0123456789';
const runnable = EXAMPLES.filter(({ missing }) => !missing);
const ports = new Map<string, number>();
let browser: Browser;
let app: TestApp;

beforeAll(async () => {
  for (const { name } of runnable) ports.set(name, await freePort());
  const clients = runnable.map(({ name, client = {}, signedOut = '' }) => {
    const origin = `http://localhost:${ports.get(name)}`;
    return {
      client_id: name,
      client_name: name,
      ...(client.token_endpoint_auth_method === 'none'
        ? { cors_origins: [origin] }
        : { client_secret_env: 'EXAMPLE_SECRET' }),
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}${signedOut}`],
      first_party: true,
      minimum_acr: '2fa',
      ...client,
    };
  });
  browser = await launch();
  app = await startApp({ clients }, { env: { EXAMPLE_SECRET: SECRET } });
});
afterAll(async () => {
  await browser?.close();
  await app?.stop();
});

async function start({
  name,
  command,
  env,
  isSilent,
}: Example): Promise<{ origin: string; process: ChildProcess; output(): string }> {
  const port = ports.get(name) ?? 0;
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    env: {
      PATH: process.env.PATH ?? '',
      ISSUER: app.issuer,
      CLIENT_ID: name,
      CLIENT_SECRET: SECRET,
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (written += chunk));
  const origin = `http://localhost:${port}`;
  const answers = () =>
    fetch(origin, { redirect: 'manual' }).then(
      () => true,
      () => false,
    );
  while (!(isSilent || written.includes('Ready: ')) || !(await answers())) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${written}`);
    await sleep(50);
  }
  return { origin, process: child, output: () => written };
}

const heading = (page: Page, text: string | RegExp) =>
  page
    .locator('h1', { hasText: text })
    .waitFor()
    .catch(async (cause: unknown) => {
      const instead = await page.locator('body').textContent();
      throw new Error(`not "${text}" but, at ${page.url()}: ${instead}`, { cause });
    });

describe.each(EXAMPLES)('$name', (one) => {
  const { name, missing, isGate } = one;
  if (missing) {
    test.skip(`skipped: ${missing}`, () => {});
    return;
  }

  test('signs in with two factors, knows the person, and signs out everywhere', async () => {
    const { account, authenticator } = await enrolled(app, `${name.replaceAll('_', '-')}@example.com`);
    const running = await start(one);
    const context = await browser.newContext();
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    try {
      await page.goto(running.origin);
      if (!isGate) {
        await heading(page, 'Not signed in');
        await page.getByText('Sign in', { exact: true }).click();
      }
      await page.getByLabel('Login', { exact: true }).fill(account.login);
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByLabel('Six digits', { exact: true }).fill(authenticator.code());
      await page.getByRole('button', { name: 'Continue' }).click();
      await heading(page, `Signed in as ${account.name}`);
      const { sub, email, acr, amr } = JSON.parse((await page.locator('#claims').textContent()) ?? '');
      expect({
        sub,
        email,
        acr,
        amr: [amr]
          .flat()
          .join(' ')
          .split(/[\s,]+/),
      }).toEqual({
        sub: account.id,
        email: account.email,
        acr: 'urn:countersign:acr:2fa',
        amr: ['pwd', 'otp', 'mfa'],
      });

      await page.getByText('Sign out', { exact: true }).click();
      await heading(page, /^Sign out/);
      await page.getByRole('button', { name: /Sign out/ }).click();
      await heading(page, 'Not signed in');
      await page.goto(running.origin);
      if (!isGate) await page.getByText('Sign in', { exact: true }).click();
      await heading(page, /^Sign in/);
    } catch (error) {
      throw new Error(`${name} said: ${running.output()}`, { cause: error });
    } finally {
      await context.close();
      running.process.kill('SIGTERM');
      if (running.process.exitCode === null) await once(running.process, 'exit');
    }
  });
});
