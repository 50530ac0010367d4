/** A backup brings back what was used, ended or taken back since: none of it may be good again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { runCli } from '../../src/cli/index.js';
import { KEPT, VOIDED } from '../../src/operations/index.js';
import { ready, spawnNode } from '../nodes/node.js';
import { fileRequest, recoveryBrowser, suspended } from '../recovery-desk/support.js';
import { type Person, person, signIn, typePassword } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { freePort, RP, startApp, type TestApp, testSecrets } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let folder: string;
let lines: string[];
beforeAll(async () => {
  app = await startApp({ clients: [{ ...RP, issue_refresh_token: true }] });
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
  folder = mkdtempSync(join(tmpdir(), 'countersign-restore-'));
  writeFileSync(
    join(folder, 'countersign.yaml'),
    stringify({ issuer: app.issuer, database: { name: app.database.name }, policy: { firstEnrolment: 'password' } }),
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await app.stop();
});

const environment = () => {
  const [sealing] = testSecrets.sealingKeys;
  return {
    MONGODB_URI: app.database.uri,
    COUNTERSIGN_SEALING_KEYS: `${sealing?.id}:${sealing?.key.toString('base64')}`,
    COUNTERSIGN_COOKIE_KEYS: testSecrets.cookieKeys.join(),
    COUNTERSIGN_INDEX_KEY: testSecrets.indexKey.toString('base64'),
  };
};
const cli = (...more: string[]): Promise<number> => {
  lines = [];
  const note = (line: string): void => void lines.push(line);
  return runCli(['after-restore', '--config', join(folder, 'countersign.yaml'), ...more], {
    env: environment(),
    out: note,
    err: note,
  });
};

test('sessions, tokens, sign-ins under way, links, requests, suspensions and recovery codes of the backup are void', async () => {
  const { desk, links } = app.app;
  const signedIn = app.browser();
  const tokens = await signIn(signedIn, rp, anna);
  const half = app.browser();
  const atSecondStep = await typePassword(half, rp.request().url, 'anna@example.com');
  const link = await links.create('password_reset', anna.account.id, 3_600);
  const { hash } = recoveryBrowser(app);
  await fileRequest(app, anna.account, hash);
  const ben = await app.account('ben@example.com');
  await suspended(app, ben);

  expect(await cli()).toBe(1);
  expect(lines.join('\n')).toMatch(/removes all recovery codes.*--yes/);
  expect((await signedIn.open('/account')).text).toContain('anna@example.com');

  expect(await cli('--yes')).toBe(0);
  expect((await signedIn.open('/account')).text).not.toContain('anna@example.com');
  expect((await rp.userinfo(tokens.access_token)).status).toBe(401);
  expect((await rp.refresh(tokens.refresh_token ?? '')).status).toBe(400);
  expect((await half.submit(atSecondStep, { code: anna.authenticator.code() })).status).toBe(400);
  expect(await links.find('password_reset', link)).toBeUndefined();
  expect((await desk.waiting()).open).toBe(0);
  expect((await desk.listSuspensions({ isRunning: true }, { limit: 10 })).items).toEqual([]);
  const bens = await app.app.accounts.find(ben.id);
  expect(bens?.standing?.suspension?.endedAt).toBeInstanceOf(Date);

  const anew = app.browser();
  const page = await typePassword(anew, rp.request().url, 'anna@example.com');
  const entry = page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/recovery_code');
  const refused = await anew.open(entry);
  expect(refused.forms.filter(({ names }) => names.includes('code'))).toEqual([]);
  expect(await app.database.collection('factors').countDocuments({ method: 'recovery_code' })).toBe(0);
  const { url, verifier } = rp.request();
  const fresh = app.browser();
  const done = await fresh.submit(await typePassword(fresh, url, 'anna@example.com'), {
    code: anna.authenticator.code(1),
  });
  expect((await rp.tokens(done, verifier)).claims.sub).toBe(anna.account.id);

  const told = await app.database.collection('audit_events').find({ type: 'sys_restored' }).toArray();
  expect(told.map(({ actor, details }) => [actor.type, details.sessions])).toEqual([['operator', 1]]);
  expect(await cli('--yes')).toBe(0);
}, 90_000);

test('beside a running server nothing is done; without it, or when the operator insists, it is', async () => {
  const own = join(folder, 'node.yaml');
  const port = await freePort();
  const database = { name: app.database.name };
  writeFileSync(own, stringify({ issuer: `http://localhost:${port}`, database, log: { level: 'silent' } }));
  const node = spawnNode(own, environment());
  await ready(node);
  const told = () => app.database.collection('audit_events').countDocuments({ type: 'sys_restored' });
  const before = await told();
  expect(await cli('--yes')).toBe(1);
  expect(lines).toEqual([
    'countersign: a server is running on this database, from 127.0.0.1: stop all nodes; if none is left, give --force',
  ]);
  expect(await told()).toBe(before);
  expect(await cli('--yes', '--force')).toBe(0);
  await node.kill();
  await eventually(async () => ((await cli('--yes')) === 0 ? true : undefined));
  expect(await told()).toBe(before + 2);
}, 60_000);

test('each collection there is, is either voided or kept', async () => {
  const names = ((await app.database.connection.db?.listCollections().toArray()) ?? []).map(({ name }) => name);
  const decided = new Set<string>([...Object.keys(VOIDED), ...KEPT]);
  expect(names.filter((name) => !decided.has(name) && !name.startsWith('system.'))).toEqual([]);
  expect(KEPT.filter((name) => name in VOIDED)).toEqual([]);
  expect(names.length).toBeGreaterThan(15);
});
