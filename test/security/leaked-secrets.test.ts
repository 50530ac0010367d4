/** Prevents: a secret of a sign-in standing in the log, the audit, an error page or an address. */
import { afterAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { PASSWORD, RP, RP_SECRET, startApp, type TestApp, testSecrets } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { person, signIn, typePassword, typeRecoveryCode } from './support.js';
import { WatchedBrowser } from './watched-browser.js';

const lines: string[] = [];
const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
let app: TestApp;
afterAll(() => app.stop());

test('canaries: nothing that opens anything is found anywhere it could be read later', async () => {
  app = await startApp({ clients: [RP], resources: [] }, { logger });
  const rp = new RelyingParty(app.issuer);
  const anna = await person(app, 'anna@example.com');
  const canaries: Record<string, string> = {
    password: PASSWORD,
    'wrong password': 'canary wrong password 4711',
    'new password': 'canary new password 0815',
    secret: anna.authenticator.secret,
    'authenticator code': anna.authenticator.code(),
    'client secret': RP_SECRET,
    'cookie key': testSecrets.cookieKeys[0] ?? '',
    'wrong recovery code': 'CANA-RYCO-DE99-8877',
  };
  anna.recoveryCodes.forEach((code, n) => {
    canaries[`recovery code ${n}`] = code;
  });
  const browser = new WatchedBrowser(app.issuer);

  let page = await typePassword(browser, rp.request().url, 'anna@example.com', canaries['wrong password']);
  page = await browser.submit(page, { login: 'anna@example.com', password: PASSWORD });
  const entry = await browser.open(page.url.pathname.replace(/$/, '/with/recovery_code'));
  await browser.submit(entry, { code: canaries['wrong recovery code'] ?? '' });
  const codeEntry = await browser.open(page.url.pathname.replace(/$/, '/with/totp'));
  page = await browser.submit(codeEntry, { code: canaries['authenticator code'] ?? '' });
  canaries['authorization code'] = rp.answer(page).code ?? '';
  const tokens = await signIn(new WatchedBrowser(app.issuer), rp, anna, {
    scope: 'openid offline_access',
    prompt: 'consent',
  });
  canaries['access token'] = tokens.access_token;
  canaries['ID token'] = tokens.id_token;
  canaries['refresh token'] = tokens.refresh_token ?? '';
  const renewed = await rp.refresh(tokens.refresh_token ?? '');
  canaries['second refresh token'] = renewed.refresh_token ?? '';
  await rp.refresh(tokens.refresh_token ?? '');
  await rp.exchange('canary-authorization-code-0000', 'canary-verifier-000000000000000000000000000000');
  canaries['wrong code'] = 'canary-authorization-code-0000';
  canaries.verifier = 'canary-verifier-000000000000000000000000000000';
  await rp.userinfo('canary-access-token-0000');
  canaries['wrong access token'] = 'canary-access-token-0000';
  for (const path of ['invitation', 'password-reset', 'confirm-email', 'not-me']) {
    const token = await app.app.links.create(path.replace('-', '_') as 'not_me', anna.account.id, 3600);
    canaries[`${path} link`] = token;
    await browser.open(`/${path}/${token}`);
    await browser.open(`/${path}/${token.toLowerCase()}canary`);
    canaries[`wrong ${path} link`] = `${token.toLowerCase()}canary`;
  }
  const reset = await browser.open(`/password-reset/${canaries['password-reset link']}`);
  await browser.submit(reset, { password: canaries['new password'] ?? '', repeat: 'canary new passw0rd' });
  await browser.submit(reset, { password: canaries['new password'] ?? '', repeat: canaries['new password'] ?? '' });
  // Faults of the server itself.
  const broken = app.app.accounts.findByLogin;
  const half = await typePassword(browser, rp.request().url, 'anna@example.com', canaries['new password']);
  app.app.engine.submit = async () => {
    throw new Error('a fault');
  };
  await typeRecoveryCode(browser, half, anna).catch(() => {});
  app.app.accounts.findByLogin = broken;
  for (const { name, value } of browser.cookies()) {
    if (!name.endsWith('.sig') && !/^countersign-(lang|started|interaction|resume)$/.test(name))
      canaries[`cookie ${name}`] = value;
  }
  await app.mails();

  expect(Object.entries(canaries).filter(([, value]) => value.length < 6)).toEqual([]);
  const audit = await app.database.collection('audit_events').find({}).toArray();
  expect(lines.length).toBeGreaterThan(20);
  expect(audit.length).toBeGreaterThan(8);
  expect(browser.errorPages.length).toBeGreaterThan(5);
  const places = {
    log: lines.join('\n'),
    audit: JSON.stringify(audit),
    'error pages': browser.errorPages.join('\n'),
    addresses: browser.addresses.join('\n'),
  };
  const found: string[] = [];
  for (const [place, text] of Object.entries(places)) {
    for (const [name, value] of Object.entries(canaries)) {
      const isOwnPlace =
        (place === 'addresses' && name === 'authorization code') || // to the application, once (RFC 6749 4.1.2)
        (place === 'error pages' && /(link|cookie csrf)$/.test(name)); // the page's own form; the token of a link is its address
      if (!isOwnPlace && (text.includes(value) || text.includes(encodeURIComponent(value))))
        found.push(`${name} in ${place}`);
    }
  }
  expect(found).toEqual([]);
}, 90_000);
