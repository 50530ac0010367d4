import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Challenge, type DeviceClient, detailsOf } from '../../examples/device-cli/client.js';
import { run } from '../../examples/device-cli/commands.js';
import { typePassword } from '../security/support.js';
import { eventually } from '../sms/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { DeviceContract } from './device-contract.js';
import { fetchOutcome, firstSignIn, linkOn, numberOn, pairOn, refusal, skipTrial } from './employee.js';

let app: TestApp;
let rp: RelyingParty;
let contract: DeviceContract;
beforeAll(async () => {
  app = await startApp({
    methods: [{ id: 'app' }, { id: 'totp' }],
    policy: { firstEnrolment: 'password', setUp: { required: true } },
  });
  rp = new RelyingParty(app.issuer);
  contract = await DeviceContract.of(app.issuer);
});
afterAll(() => app.stop());

/** Somebody with a phone. */
const personWithPhone = async (login: string, model?: string): Promise<DeviceClient> => {
  await app.account(login);
  const browser = app.browser();
  const { page } = await firstSignIn(browser, rp, login);
  const { phone } = await pairOn(browser, page, { fetch: contract.fetch, ...(model ? { model } : {}) });
  return phone;
};

/** A sign-in in a browser of its own, as far as the number. */
const signIn = async (login: string) => {
  const browser = app.browser();
  const { url, verifier } = rp.request();
  const page = await typePassword(browser, url, login);
  return { browser, page, verifier, number: numberOn(page) };
};

const only = async (phone: DeviceClient): Promise<Challenge> => {
  const [challenge, ...more] = await phone.list();
  if (!challenge || more.length > 0) throw new Error('not exactly one waits');
  return challenge;
};
const wrongFor = (number: string): string =>
  String((Number(number.replace(/\s/g, '')) + 1) % 1_000_000).padStart(6, '0');

describe('a sign-in and the phone that was written from the document alone', () => {
  test('is confirmed with the number of the page, once', async () => {
    const phone = await personWithPhone('anna');
    const { browser, page, verifier, number } = await signIn('anna');
    const challenge = await only(phone);
    expect(JSON.stringify(challenge)).not.toContain(number.replace(/\s/g, ''));
    expect(detailsOf(challenge)).toMatchObject({ application: 'Time Sheets', at: expect.stringMatching(/Z$/) });
    expect(await phone.answer(challenge, 'approve', number)).toBe('approved');
    expect(await refusal(phone.answer(challenge, 'approve', number))).toMatchObject({ code: 'REFUSED' });
    expect(await phone.list()).toEqual([]);
    const { claims } = await rp.tokens(await fetchOutcome(browser, page), verifier);
    expect(claims).toMatchObject({
      acr: 'urn:countersign:acr:2fa',
      amr: expect.arrayContaining(['pwd', 'swk', 'mfa']),
    });
  });

  test('is over after three wrong numbers, and the phone is told how many are left', async () => {
    const phone = await personWithPhone('bela');
    const { number } = await signIn('bela');
    const challenge = await only(phone);
    for (const triesLeft of [2, 1, 0]) {
      const refused = await refusal(phone.answer(challenge, 'approve', wrongFor(number)));
      expect(refused).toMatchObject({ code: 'WRONG_NUMBER', triesLeft });
    }
    expect(await refusal(phone.answer(challenge, 'approve', number))).toMatchObject({ code: 'REFUSED' });
    expect(await phone.list()).toEqual([]);
  });

  test.each([
    ['not_now', 'postponed'],
    ['not_me', 'denied'],
  ] as const)('answered %s does not happen', async (decision, outcome) => {
    const login = `person-${outcome}`;
    const phone = await personWithPhone(login);
    const { browser, page } = await signIn(login);
    expect(await phone.answer(await only(phone), decision)).toBe(outcome);
    const after = await fetchOutcome(browser, page);
    expect(after.url.origin).toBe(app.issuer);
    expect(numberOn(await browser.open(page.url))).toBe('');
  });

  test('of two that wait, the one that the person has opened is confirmed, by its own number alone', async () => {
    const phone = await personWithPhone('cleo');
    const mine = await signIn('cleo');
    const other = await signIn('cleo');
    const [first, second] = await phone.list();
    if (!first || !second) throw new Error('not two wait');
    expect(await refusal(phone.answer(second, 'approve', mine.number))).toMatchObject({ code: 'WRONG_NUMBER' });
    expect(await phone.answer(first, 'approve', mine.number)).toBe('approved');
    expect((await fetchOutcome(mine.browser, mine.page)).url.origin).toBe('https://rp.example');
    expect((await fetchOutcome(other.browser, other.page)).url.origin).toBe(app.issuer);
  });

  test('is confirmed by either of two phones; an account is nothing to the phone of another', async () => {
    const first = await personWithPhone('dora');
    const stranger = await personWithPhone('erin');
    const { browser, page, number } = await signIn('dora');
    await first.answer(await only(first), 'approve', number);
    await fetchOutcome(browser, page);
    const { phone: second } = await pairOn(browser, await browser.open('/account/add/app'), { fetch: contract.fetch });
    const next = await signIn('dora');
    const challenge = await only(second);
    expect(await only(first)).toEqual(challenge);
    expect(await stranger.list()).toEqual([]);
    expect(await refusal(stranger.answer(challenge, 'approve', next.number))).toMatchObject({ code: 'REFUSED' });
    expect(await second.answer(challenge, 'approve', next.number)).toBe('approved');
    expect(await refusal(first.answer(challenge, 'not_me'))).toMatchObject({ code: 'REFUSED' });
    expect((await fetchOutcome(next.browser, next.page)).url.origin).toBe('https://rp.example');
  });

  test('is done without a network by the code of the phone', async () => {
    const phone = await personWithPhone('finn');
    const { browser, page } = await signIn('finn');
    const entry = await browser.open(page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, '$1/with/totp'));
    const done = await browser.submit(entry, { code: phone.offlineCode().code });
    expect(done.url.origin).toBe('https://rp.example');
  });

  test('is heard of by the command line that watches, until the phone is not trusted any more', async () => {
    const phone = await personWithPhone('watcher');
    const store = join(mkdtempSync(join(tmpdir(), 'device-cli-')), 'accounts.json');
    writeFileSync(store, JSON.stringify({ accounts: [phone.toStored()] }));
    const lines: string[] = [];
    const watching = run(['watch', '--store', store], {
      out: (line) => lines.push(line),
      err: (line) => lines.push(line),
      fetch: contract.fetch,
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
    await eventually(() => (contract.seen.has('/watch 200') ? true : undefined));
    await signIn('watcher');
    await eventually(() => (lines.some((line) => line.endsWith('application Time Sheets')) ? true : undefined));
    await phone.remove();
    expect(await watching).toBe(1);
    expect(lines.at(-1)).toContain('no longer trusted');
  });

  test('nothing was sent or answered that the served description does not have', () => {
    expect(contract.breaches).toEqual([]);
    expect([...contract.seen]).toEqual(
      expect.arrayContaining([
        '/challenges 200',
        '/watch 200',
        ...[200, 409, 422].map((status) => `/challenges/{id}/answer ${status}`),
      ]),
    );
  });
});

test('the command line: one file, two accounts, from the link to the end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'device-cli-'));
  const store = join(folder, 'accounts.json');
  const lines: string[] = [];
  const command = (...words: string[]) =>
    run([...words, '--store', store], {
      out: (line) => lines.push(line),
      err: (line) => lines.push(line),
      pause: () => new Promise((resolve) => setTimeout(resolve, 20)),
    });
  const said = (): string => lines.splice(0).join('\n');

  for (const login of ['gina', 'hugo']) await pairByCommand(login, command, said);
  expect(await command('status')).toBe(0);
  expect(said().match(/"device-cli", active/g)).toHaveLength(2);

  const { browser, page, number } = await signIn('gina');
  expect(await command('list')).toBe(0);
  const listed = said();
  const [, id = ''] = /^ {2}(\S{22})$/m.exec(listed) ?? [];
  expect(listed).toContain('Time Sheets');
  expect(await command('approve', id, ...(wrongFor(number).match(/\d{3}/g) ?? []))).toBe(1);
  expect(said()).toContain('Tries left: 2');
  expect(await command('approve', id, ...number.split(/\s/))).toBe(0);
  expect(said()).toContain('Approved.');
  expect((await fetchOutcome(browser, page)).url.origin).toBe('https://rp.example');
  expect(await command('not-me', id)).toBe(1);

  expect(await command('forget')).toBe(1);
  expect(said()).toContain('--account');
  expect(await command('forget', '--account', 'gina')).toBe(0);
  said();
  expect(await command('status')).toBe(0);
  expect(said()).not.toContain('gina');
  rmSync(folder, { recursive: true });
});

/** The person reads the digits while the command waits. */
async function pairByCommand(login: string, command: (...words: string[]) => Promise<number>, said: () => string) {
  await app.account(login);
  const browser = app.browser();
  const { page } = await firstSignIn(browser, rp, login);
  const pairing = command('pair', linkOn(page));
  let digits: string | undefined;
  while (digits === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    digits = /computer: (\d{3} \d{3})/.exec(said())?.[1];
  }
  await skipTrial(browser, await browser.submit(await browser.open(page.url), { digits }));
  expect(await pairing).toBe(0);
  expect(said()).toContain('This phone is trusted now');
}
