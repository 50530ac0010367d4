import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateSync } from 'otplib';
import { projectRoot } from '../../src/platform/paths.js';
import { ready, type ServerNode, spawnServer } from '../nodes/node.js';
import { freePort } from '../support/app.js';
import { Browser, type Page } from '../support/browser.js';
import { testDatabase } from '../support/database.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let data: string;
beforeAll(async () => {
  database = await testDatabase();
  data = await mkdtemp(join(tmpdir(), 'countersign-plugin-'));
});
afterAll(async () => {
  await database.drop();
  await rm(data, { recursive: true });
});

/** The example, as its README starts it, with the test's database. */
async function withExample<T>(
  flags: string[],
  work: (application: string, browser: Browser) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  const host: ServerNode = spawnServer([join(projectRoot, 'examples/plugin/main.js'), ...flags], {
    MONGODB_URI: process.env.TEST_MONGODB_URI ?? '',
    PLUGIN_DATABASE: database.connection.name,
    PLUGIN_DATA: join(data, randomUUID()),
    PORT: String(port),
  });
  try {
    await ready(host);
    return await work(`http://localhost:${port + 1}`, new Browser(`http://localhost:${port}`));
  } finally {
    host.process.kill('SIGTERM');
    expect(await host.exited).toBe(0);
  }
}

const GRETA = { login: 'greta', password: 'lantern-orbit-52' };

/** As far as the page after the password. */
async function afterPassword(application: string, browser: Browser): Promise<Page> {
  const departure = await fetch(application, { redirect: 'manual' });
  return browser.submit(await browser.open(departure.headers.get('location') ?? ''), GRETA);
}

const claimsAt = async (page: Page): Promise<Record<string, unknown>> => {
  const answer = await fetch(page.url);
  if (answer.status !== 200) throw new Error(await answer.text());
  return (await answer.json()) as Record<string, unknown>;
};

describe('the example of a provider with accounts and a login page of its own', () => {
  test('leads a person through set-up to the application, then asks for the second step', async () => {
    await withExample([], async (application, browser) => {
      let page = await afterPassword(application, browser);
      expect(page.url.pathname).toMatch(/\/set-up$/);
      page = await browser.submit(page, { method: 'totp' });
      const secret = /secret=([A-Z2-7]+)/.exec(page.html)?.[1] ?? '';
      page = await browser.submit(page, { code: generateSync({ secret, epoch: Math.floor(Date.now() / 1000) - 30 }) });
      const recoveryCode = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}/.exec(page.text)?.[0] ?? '';
      page = await browser.submit(page, { code: recoveryCode });
      expect(await claimsAt(page)).toMatchObject({
        sub: '4711',
        acr: 'urn:countersign:acr:2fa',
        amr: ['pwd', 'otp', 'mfa'],
      });
      expect((await browser.open('/account')).text).toContain('Greta Holm');

      const elsewhere = new Browser(browser.issuer);
      const second = await afterPassword(application, elsewhere);
      expect([second.url.pathname, elsewhere.cookie('_session')]).toEqual([
        expect.stringMatching(/^\/second-factor\//),
        undefined,
      ]);
      page = await elsewhere.submit(second, { code: generateSync({ secret }) });
      expect(await claimsAt(page)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
    });
  });

  test('in the careless way, with the password alone, gets no further than the second step, and no session', async () => {
    await withExample(['--careless'], async (application, browser) => {
      const page = await afterPassword(application, browser);
      expect(page.url.pathname).toMatch(/^\/second-factor\//);
      const silent = new URL((await fetch(application, { redirect: 'manual' })).headers.get('location') ?? '');
      silent.searchParams.set('prompt', 'none');
      expect((await browser.open(silent)).url.searchParams.get('error')).toBe('login_required');
    });
  });
});
