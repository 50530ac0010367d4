import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { DeviceClient } from '../../examples/device-cli/client.js';
import { parseCommandLine } from '../../examples/device-cli/command-line.js';
import { run } from '../../examples/device-cli/commands.js';
import { AccountFile } from '../../examples/device-cli/store.js';
import { projectRoot } from '../../src/platform/paths.js';

const folder = mkdtempSync(join(tmpdir(), 'device-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));
const store = join(folder, 'accounts.json');
const serverTime = '2026-11-24T09:00:00.000Z';

/** One command of a phone that is paired already; every request is answered like this. */
async function typed(words: string[], status: number, body: object, headers: Record<string, string> = {}) {
  const paired = { ...(await DeviceClient.create('https://login.example.com')).toStored(), deviceId: 'device-1' };
  await new AccountFile(store).put({ ...paired, issuerName: 'Acme', account: { login: 'anna', name: 'Anna' } });
  const out: string[] = [];
  const err: string[] = [];
  const exit = await run([...words, '--store', store], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    pause: async () => undefined,
    fetch: async () => new Response(JSON.stringify({ serverTime, ...body }), { status, headers }),
    now: () => Date.parse(serverTime),
  });
  const kept = (await new AccountFile(store).read()).length;
  rmSync(store);
  return { kept, exit, out: out.join('\n'), err: err.join('\n') };
}

const protocol = readFileSync(new URL('../../docs/app-protocol.md', import.meta.url), 'utf8');
const codes = [...protocol.matchAll(/^\| (\d{3}) \| `([A-Z_]+)` \|/gm)].map(([, status, code = '']) => ({
  status: Number(status),
  code,
}));

test('every code of the document has a sentence of its own, and the exit code says that it failed', async () => {
  expect(codes.length).toBeGreaterThan(6);
  const sentences = new Set<string>();
  for (const { status, code } of codes) {
    const { exit, err } = await typed(['status'], status, { code });
    expect([code, exit]).toEqual([code, 1]);
    expect(err).not.toContain('not in the protocol');
    sentences.add(err);
  }
  expect(sentences.size).toBe(codes.length);
  expect((await typed(['status'], 502, {})).err).toContain('not in the protocol (502)');
});

test('a sentence says what to do: the tries, the wait, the set-up', async () => {
  const wrong = await typed(['list'], 422, { code: 'WRONG_NUMBER', triesLeft: 2 });
  expect(wrong.err).toContain('Tries left: 2');
  expect((await typed(['list'], 422, { code: 'WRONG_NUMBER', triesLeft: 0 })).err).toContain('is over');
  expect((await typed(['list'], 429, { code: 'TOO_MANY' }, { 'retry-after': '17' })).err).toContain('in 17 s');
  expect((await typed(['list'], 401, { code: 'DEVICE_REFUSED' })).err).toContain('no longer trusted');
});

test.each([
  [['approve', 'id'], 'a number to approve'],
  [['not-now'], 'an id is needed'],
  [['pair', 'https://login.example.com/app/pair#short'], 'not a pairing code'],
  [['pair', '--login', 'anna'], '--issuer, --login and --code'],
  [['list', '--account', 'bela'], 'no such account'],
  [['list', '--sotre=x'], 'there is no option --sotre'],
  [['constructor'], 'Usage'],
])('%j is explained', async (words, why) => {
  const { exit, err } = await typed(words, 200, {});
  expect([exit, err]).toEqual([1, expect.stringContaining(why)]);
});

test('what is listed is one line each, whatever a browser calls itself', async () => {
  const details = JSON.stringify({ application: 'Time Sheets', browser: 'Fire\nfox\u001b[1A', at: serverTime });
  const challenges = [{ id: '--aB3', details, digits: 6, createdAt: serverTime, expiresAt: serverTime }];
  const { exit, out } = await typed(['list'], 200, { challenges });
  expect(exit).toBe(0);
  expect(out.split('\n')).toEqual([
    'anna at Acme',
    '  --aB3',
    '    application Time Sheets',
    '    browser     Fire\ufffdfox\ufffd[1A',
    `    at          ${serverTime}`,
    `    number      6 digits, until ${serverTime}`,
  ]);
  expect(parseCommandLine(['approve', '--aB3', '481', '236']).words).toEqual(['approve', '--aB3', '481', '236']);
});

test('what the server refuses to know is forgotten here as well; what cannot be asked is kept', async () => {
  const refused = await typed(['forget'], 401, { code: 'DEVICE_REFUSED' });
  expect(refused).toMatchObject({ exit: 0, kept: 0, out: 'anna at Acme is forgotten.' });
  expect(await typed(['forget'], 429, { code: 'TOO_MANY' })).toMatchObject({ exit: 1, kept: 1 });
});

test('it runs without a build', () => {
  const main = join(projectRoot, 'examples/device-cli/main.js');
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, 'code', '--store', join(folder, 'none.json')]);
  expect([status, String(stdout)]).toEqual([1, '']);
  expect(String(stderr)).toBe('Not like that: no such account on this phone: "pair" comes first.\n');
});
