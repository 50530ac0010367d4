import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAccounts, createOneTimeLinks, createPasswords, ensureIndexes } from '../../src/accounts/index.js';
import type { AuditEvent } from '../../src/audit/contract.js';
import { loadConfig } from '../../src/config/index.js';
import { createDemoAccounts, DEMO_STORIES, demoAccounts } from '../../src/demo/index.js';
import { projectRoot } from '../../src/platform/paths.js';
import { systemRandom } from '../../src/platform/random.js';
import { secretBox } from '../notifications/support.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
const { accounts: settings } = loadConfig(join(projectRoot, 'config/demo.yaml'), {
  DEMO_APP_SECRET: 'a-secret-that-is-long-enough-for-anybody',
});

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
});
afterAll(() => database.drop());

test('every account of the configuration has its story on the tour', () => {
  expect(settings.map(({ login }) => login).sort()).toEqual(Object.keys(DEMO_STORIES).sort());
  expect(demoAccounts(settings).find(({ login }) => login.startsWith('dora'))).not.toHaveProperty('password');
  const administrators = demoAccounts(settings).filter(({ isAdministrator }) => isAdministrator);
  expect(administrators.map(({ login }) => login)).toEqual(['hugo@example.com', 'olga@example.com']);
});

test('accounts are made once; who has no password is invited at each start', async () => {
  const core = { database, clock: new FakeClock(), random: systemRandom, secretBox };
  const accounts = createAccounts({ ...core, passwords: createPasswords(core) });
  const links = createOneTimeLinks(core);
  const mails: string[] = [];
  const events: AuditEvent[] = [];
  const start = () =>
    createDemoAccounts(settings, {
      issuer: 'http://localhost:4000',
      accounts,
      links,
      notifier: {
        notify: async (account, notice, params) => void mails.push(`${notice} ${account.name} ${params?.link}`),
      },
      audit: { record: async (event) => void events.push(event) },
    });

  await start();
  expect(await accounts.list({ limit: 200 })).toHaveLength(settings.length);
  expect(mails).toEqual([
    expect.stringMatching(/^invitation Dora Lindqvist http:\/\/localhost:4000\/invitation\/[\w-]{43}$/),
  ]);
  const token = mails[0]?.split('/').at(-1) ?? '';
  expect(await links.find('invitation', token)).toBeDefined();

  await start();
  expect(await accounts.list({ limit: 200 })).toHaveLength(settings.length);
  expect(mails).toHaveLength(2);

  const dora = await accounts.findByLogin('dora@example.com');
  await accounts.setPassword(dora?.id ?? '', 'a-password-of-her-own');
  await start();
  expect(mails).toHaveLength(2);
  expect(events.filter(({ type }) => type === 'user_created')).toHaveLength(settings.length);
});
