/** Prevents: a request's number, what somebody typed into it, an access code or a pass standing where it is none's business. */
import { afterAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { approve, OLGA } from '../recovery-desk/support.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';
import { person, typePassword } from './support.js';
import { WatchedBrowser } from './watched-browser.js';

const lines: string[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
let app: TestApp;
afterAll(() => app.stop());

const step = (page: Page, rest: string): string => page.url.pathname.replace(/(\/second-factor\/[^/]+).*/, `$1${rest}`);

test('canaries: a whole story of the recovery desk', async () => {
  app = await startApp({ policy: { firstEnrolment: 'invitation' } }, { logger });
  const { desk } = app.app;
  const rp = new RelyingParty(app.issuer);
  const { account } = await person(app, 'anna@example.com');
  const boss = await app.account('boss@example.com');
  await app.database
    .collection<{ _id: string }>('accounts')
    .updateOne({ _id: boss.id }, { $set: { roles: ['owner'] } });
  const canaries: Record<string, string> = {
    telephone: '+49 30 4711 0815',
    note: 'My phone is in the canal near the office',
    'wrong access code': 'WRNGC-DECDE',
    'wrong access pass': 'WRNG-PASS-PASS-WRNG',
  };
  const browser = new WatchedBrowser(app.issuer);

  const second = await typePassword(browser, rp.request().url, account.login);
  const form = await browser.open(step(second, '/cannot-confirm'));
  const { telephone: contact = '', note = '' } = canaries;
  const waiting = await browser.submit(form, { circumstances: 'lost_or_stolen', contact, note });
  const number = /<output[^>]*>([^<]+)<\/output>/.exec(waiting.html)?.[1] ?? '';
  expect(waiting.url.href).not.toContain(number);
  canaries.number = number;
  canaries['number as typed'] = number.replace(' ', '');
  const { items } = await desk.listRequests({ accountId: account.id, state: 'open' }, { limit: 1 });
  await browser.request(new URL(/data-state="([^"]+)"/.exec(waiting.html)?.[1] ?? '', app.issuer));
  await desk.decide(
    items[0]?.id ?? '',
    { outcome: 'approved', requestNumber: 'K7P 4QX', hours: 24, verifiedBy: 'video' },
    OLGA,
  );
  await approve(app, { ...items[0], number } as never);
  await browser.submit(await browser.open(waiting.url), {}, /\/later$/);

  const { items: running } = await desk.listSuspensions({ accountId: account.id }, { limit: 1 });
  const issued = await desk.issueAccessCode(running[0]?.id ?? '', OLGA);
  canaries['access code'] = issued.status === 'issued' ? issued.code : '';
  const { pass } = await desk.issueAccessPass(account, 3600, OLGA);
  canaries['access pass'] = pass;
  const other = new WatchedBrowser(app.issuer);
  const there = await typePassword(other, rp.request().url, account.login);
  for (const [path, wrong, right] of [
    ['/access-code', 'wrong access code', 'access code'],
    ['/access-pass', 'wrong access pass', 'access pass'],
  ] as const) {
    const again = await other.submit(await other.open(step(there, path)), { code: canaries[wrong] ?? '' });
    await other.submit(again, { code: canaries[right] ?? '' });
  }
  for (const { name, value } of [...browser.cookies(), ...other.cookies()]) {
    if (/^countersign-(recovery|enrolment)$/.test(name)) canaries[`cookie ${name} ${value.slice(0, 3)}`] = value;
  }
  const mails = await app.mails();

  expect(Object.values(canaries).filter((value) => value.length < 6)).toEqual([]);
  const audit = await app.database.collection('audit_events').find({}).toArray();
  expect(audit.map(({ type }) => type)).toEqual(
    expect.arrayContaining([
      'recovery_request_approved',
      'access_code_used',
      'access_pass_used',
      'access_code_rejected',
    ]),
  );
  expect(mails.length).toBeGreaterThan(3);
  const stored = await Promise.all(
    ['recovery_requests', 'suspensions', 'access_passes', 'accounts', 'outbox', 'oidc'].map((name) =>
      app.database.collection(name).find({}).toArray(),
    ),
  );
  const places = {
    log: lines.join('\n'),
    audit: JSON.stringify(audit),
    mails: JSON.stringify(mails),
    database: JSON.stringify(stored),
    addresses: [...browser.addresses, ...other.addresses].join('\n'),
    'error pages': [...browser.errorPages, ...other.errorPages].join('\n'),
  };
  const found = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(canaries)
      .filter(([, value]) => text.includes(value) || text.includes(value.replaceAll('-', '')))
      .map(([name]) => `${name} in ${place}`),
  );
  expect(found).toEqual([]);
}, 60_000);
