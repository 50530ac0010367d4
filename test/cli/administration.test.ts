import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recoveryBrowser } from '../recovery-desk/support.js';
import { person, signIn } from '../security/support.js';
import { PASSWORD, RP, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { type CommandLine, commandLine } from './beside-a-server.js';

let app: TestApp;
let cli: CommandLine;
beforeAll(async () => {
  app = await startApp();
  cli = commandLine(app, { clients: [RP] });
});
afterAll(async () => {
  cli.remove();
  await app.stop();
});

const audited = async (login: string) => {
  const account = await app.app.accounts.findByLogin(login);
  const events = await app.app.audit.list({ accountId: account?.id ?? '' }, { limit: 50 });
  return events.filter(({ actor }) => actor.type === 'operator').map(({ type }) => type);
};
const mailsTo = async (address: string) => (await app.mails()).filter(({ to }) => to.includes(address));
/** Nothing of what opens something is kept in words that anybody can read. */
const isStoredAnywhere = async (secret: string): Promise<boolean> => {
  const names = ((await app.database.connection.db?.listCollections().toArray()) ?? []).map(({ name }) => name);
  const all = await Promise.all(names.map((name) => app.database.collection(name).find().toArray()));
  return JSON.stringify(all).includes(secret);
};

describe('init', () => {
  const NEW_PASSWORD = 'walrus harbour 31 lantern';

  test('of two at once one makes the first owner, who begins with a link that works once', async () => {
    const both = await Promise.all([
      cli.run('init', '--login', 'olga', '--name', 'Olga', '--email', 'olga@mail.example'),
      cli.run('init', '--login', 'otto', '--name', 'Otto', '--email', 'otto@mail.example'),
    ]);
    expect(both.map(({ code }) => code).sort()).toEqual([0, 1]);
    const [won, lost] = both[0].code === 0 ? both : [both[1], both[0]];
    expect(lost.err[0]).toBe('countersign: there is an owner already: --again makes another one, or another link');
    const [owner, ...others] = await app.database.collection('accounts').find().toArray();
    expect(others).toEqual([]);
    expect(owner).toMatchObject({ roles: ['owner'] });
    expect(owner?.password).toBeUndefined();
    const [link = ''] = won.out;
    expect(await isStoredAnywhere(link.split('/').at(-1) ?? 'no link')).toBe(false);
    const browser = app.browser();
    const chosen = await browser.submit(await browser.open(link), { password: NEW_PASSWORD, repeat: NEW_PASSWORD });
    expect(chosen.status).toBe(200);
    expect((await app.browser().open(link)).status).toBe(400);
    expect(await audited(owner?.login)).toEqual(['invitation_sent', 'role_granted', 'user_created']);
  });

  test('with an owner it refuses and changes nothing; --again is told to the owners', async () => {
    const before = await app.database.collection('accounts').countDocuments();
    expect((await cli.run('init', '--login', 'petra', '--name', 'Petra')).code).toBe(1);
    expect(await app.database.collection('accounts').countDocuments()).toBe(before);
    const again = await cli.run('init', '--login', 'petra', '--name', 'Petra', '--again');
    expect([again.code, again.out.length]).toEqual([0, 1]);
    const told = (await app.mails()).filter(({ subject }) => subject === 'Done on the server: Petra');
    expect(told).toHaveLength(1);
    expect(told[0]?.text).toContain('Petra was given a role: owner');
    // The first link is void: another one takes its place.
    const third = await cli.run('init', '--login', 'petra', '--name', 'ignored', '--again');
    expect((await app.browser().open(again.out[0] ?? '')).status).toBe(400);
    expect((await app.browser().open(third.out[0] ?? '')).status).toBe(200);
  });

  test('what no account can have is refused', async () => {
    const { code, err } = await cli.run('init', '--login', 'a b', '--name', 'A', '--again');
    expect([code, err[0]]).toEqual([1, expect.stringContaining('--login cannot be used')]);
  });
});

describe('accounts', () => {
  test('deactivate is out at once, everywhere; reactivate lets in again', async () => {
    await app.account('leaver@example.com');
    const browser = app.browser();
    await browser.submit(await browser.open('/account'), { login: 'leaver@example.com', password: PASSWORD });
    expect((await browser.open('/account')).url.pathname).toBe('/account');
    expect((await cli.run('accounts', 'deactivate', '--login', 'Leaver@example.com')).code).toBe(0);
    expect((await browser.open('/account')).url.pathname).not.toBe('/account');
    expect((await cli.run('accounts', 'reactivate', '--login', 'leaver@example.com')).code).toBe(0);
    expect(await audited('leaver@example.com')).toEqual(['user_reactivated', 'sessions_ended', 'user_deactivated']);
  });

  test('the last owner stays, and nobody is somebody', async () => {
    const owners = await app.database.collection('accounts').find({ roles: 'owner' }).toArray();
    const codes: number[] = [];
    for (const { login } of owners) codes.push((await cli.run('accounts', 'deactivate', '--login', login)).code);
    expect(codes).toEqual([...owners.slice(1).map(() => 0), 1]);
    for (const { login } of owners) await cli.run('accounts', 'reactivate', '--login', login);
    const { err } = await cli.run('accounts', 'deactivate', '--login', 'nobody');
    expect(err[0]).toBe('countersign: --login is nobody here');
  });

  test('invite mails a link; without an address it is refused', async () => {
    const { email = '' } = await app.account('joiner@example.com', { password: null });
    expect((await cli.run('accounts', 'invite', '--login', 'joiner@example.com')).code).toBe(0);
    expect((await mailsTo(email))[0]?.text).toContain('/invitation/');
    await app.app.accounts.create({ login: 'mute', name: 'Mute' });
    const { code, err } = await cli.run('accounts', 'invite', '--login', 'mute');
    expect([code, err[0]]).toEqual([1, 'countersign: The account has no address to send a mail to']);
  });

  test('reset-factors takes all of them, and is told', async () => {
    const { account } = await person(app, 'careless@example.com');
    const answer = await cli.run('accounts', 'reset-factors', '--login', 'careless@example.com');
    expect([answer.code, answer.out]).toEqual([0, [expect.stringMatching(/^2 removed/)]]);
    expect(await app.app.engine.forAccount(account.id)).toEqual([]);
    expect(await audited('careless@example.com')).toEqual(['factor_revoked', 'factor_revoked']);
    const told = (await mailsTo(account.email ?? '')).filter(({ subject }) => subject.includes('removed'));
    expect(told).toHaveLength(2);
    expect((await cli.run('accounts', 'reset-factors', '--login', 'careless@example.com')).out).toEqual([
      'Nothing is set up.',
    ]);
  });

  test('list and show answer in JSON, too', async () => {
    const { account } = await person(app, 'shown@example.com');
    const shown = await cli.run('accounts', 'show', '--login', 'shown@example.com');
    expect(shown.out.join('\n')).toMatch(/login {7}shown@example\.com[\s\S]*method {6}totp: /);
    const { out } = await cli.run('accounts', 'show', '--login', 'shown@example.com', '--json');
    expect(JSON.parse(out.join('\n'))).toMatchObject({
      id: account.id,
      covered: true,
      factors: [{ method: 'totp' }, { method: 'recovery_code' }],
    });
    const listed = (await cli.run('accounts', 'list', '--json')).out.map((line) => JSON.parse(line));
    expect(listed.length).toBe(await app.database.collection('accounts').countDocuments());
    expect(listed[0]).toMatchObject({ id: account.id, login: 'shown@example.com', methods: ['totp', 'recovery_code'] });
    expect(JSON.stringify(listed)).not.toContain('argon2');
  });
});

describe('breaking the glass', () => {
  test('suspend lifts the second step and prints a code for one browser; every owner hears of it', async () => {
    const { account } = await person(app, 'stuck@example.com');
    const wrong = await cli.run('suspend', '--login', 'nobody', '--days', '3');
    expect(wrong.err.slice(0, 2)).toEqual([
      'countersign: --days must be 1 or 2',
      'countersign: --login is nobody here',
    ]);
    const given = await cli.run(
      'suspend',
      '--login',
      'stuck@example.com',
      '--days',
      '2',
      '--reason',
      'Console is down',
    );
    expect(given.code).toBe(0);
    const [code = ''] = given.out;
    const [running] = (await app.app.desk.listSuspensions({ accountId: account.id }, { limit: 5 })).items;
    expect(running).toMatchObject({ isRunning: true, hours: 48, reason: 'Console is down', accessCodesIssued: 1 });
    const { browser, hash } = recoveryBrowser(app);
    const origin = { requestId: 'test' };
    expect(await app.app.desk.redeemAccessCode(account, hash, code, origin)).toEqual({ status: 'accepted' });
    expect(browser).toBeDefined();
    expect(await isStoredAnywhere(code)).toBe(false);
    expect(await audited('stuck@example.com')).toEqual(['access_code_issued', 'suspension_started']);
    const told = (await app.mails()).filter(({ subject }) => subject === 'Done on the server: stuck');
    const owners = await app.database
      .collection('accounts')
      .countDocuments({ roles: 'owner', email: { $exists: true } });
    expect(told).toHaveLength(owners);
    const again = await cli.run('suspend', '--login', 'stuck@example.com', '--days', '1');
    expect([again.code, again.err[0]]).toEqual([1, expect.stringContaining('a suspension runs until')]);
  });

  test('access-pass prints a pass that works once', async () => {
    const { account } = await person(app, 'locked@example.com');
    for (const hours of ['0', '73', 'x', '1.5'])
      expect((await cli.run('access-pass', '--login', 'locked@example.com', '--hours', hours)).code).toBe(1);
    const [pass = ''] = (await cli.run('access-pass', '--login', 'locked@example.com', '--hours', '2')).out;
    const origin = { requestId: 'test' };
    expect((await app.app.desk.redeemAccessPass(account, pass, origin)).status).toBe('accepted');
    expect((await app.app.desk.redeemAccessPass(account, pass, origin)).status).toBe('rejected');
    expect(await audited('locked@example.com')).toEqual(['access_pass_issued']);
    await app.app.accounts.deactivate(account.id);
    const { err } = await cli.run('access-pass', '--login', 'locked@example.com');
    expect(err[0]).toBe('countersign: The account is not active');
  });
});

describe('clients', () => {
  const add = (id: string) =>
    cli.run('clients', 'add', '--id', id, '--name', 'App', '--redirect-uri', 'https://app.example.com/cb');

  test('rotate-secret makes another one, beside the one before; remove ends it', async () => {
    const [, first = ''] = /client_secret {2}(\S+)/.exec((await add('app')).out.join('\n')) ?? [];
    const [second = ''] = (await cli.run('clients', 'rotate-secret', '--id', 'app')).out;
    expect(await app.app.oidc.clients.find('app')).toMatchObject({
      client_secret: second,
      previous_secret: { secret: first },
    });
    const shown = await cli.run('clients', 'show', '--id', 'app', '--json');
    expect(JSON.parse(shown.out.join('\n'))).toMatchObject({ client_id: 'app', where: 'database' });
    expect(shown.out.join('\n')).not.toMatch(new RegExp(`${first}|${second}`));
    expect((await cli.run('clients', 'remove', '--id', 'app')).code).toBe(0);
    expect(await app.app.oidc.clients.stored('app')).toBeUndefined();
    expect((await cli.run('clients', 'remove', '--id', 'app')).err[0]).toBe('countersign: --id is no application here');
    const types = await app.database.collection('audit_events').distinct('type', { clientId: 'app' });
    expect(types).toEqual(['client_created', 'client_removed', 'client_secret_rotated']);
  });

  test('those of the configuration file, and of the server itself, are out of reach', async () => {
    for (const verb of ['remove', 'rotate-secret'])
      expect((await cli.run('clients', verb, '--id', 'rp')).err[0]).toContain('of the configuration file');
    for (const id of ['rp', 'countersign-console']) expect((await add(id)).err[0]).toBe('countersign: --id is taken');
    const shown = await cli.run('clients', 'show', '--id', 'rp');
    expect(shown.out.join('\n')).toMatch(/where {35}configuration/);
  });
});

test('people sign in as ever meanwhile', async () => {
  const someone = await person(app, 'daily@example.com');
  expect((await signIn(app.browser(), new RelyingParty(app.issuer), someone)).claims.acr).toContain('2fa');
});
