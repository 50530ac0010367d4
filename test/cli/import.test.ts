import { spawn } from 'node:child_process';
import { scryptSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hash as bcrypt } from 'bcrypt';
import { generateSync } from 'otplib';
import { projectRoot } from '../../src/platform/paths.js';
import { slowHash } from '../../src/platform/slow-hash.js';
import { ADMIN_APP, administrator } from '../support/administrator.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Answer, type CommandLine, commandLine } from './beside-a-server.js';

const SMS = { id: 'sms', homeCountry: 'DE', providers: [{ name: 'here', type: 'outbox' }] };
const METHODS = [{ id: 'totp' }, SMS, { id: 'recovery_code' }];
const PASSWORD = 'lantern orchard 55 walrus';
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const OTPAUTH = `otpauth://totp/Old%20system:anna?secret=${SECRET}&issuer=Old`;

let app: TestApp;
let cli: CommandLine;
beforeAll(async () => {
  app = await startApp((issuer) => ({ methods: METHODS, clients: [RP, ADMIN_APP(issuer)] }));
  cli = commandLine(app, { methods: METHODS });
});
afterAll(async () => {
  cli.remove();
  await app.stop();
});

interface Stored {
  _id: string;
  login: string;
  password?: { hash: string; isImported?: boolean };
}
const accounts = () => app.database.collection<Stored>('accounts');
const stored = (login: string) => accounts().findOne({ login });
let files = 0;
const write = (content: string | Buffer): string => {
  const file = join(cli.folder, `${files++}.jsonl`);
  writeFileSync(file, content);
  return file;
};
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const importing = (content: string | Buffer | readonly object[], ...more: string[]): Promise<Answer> =>
  cli.run('import', write(Array.isArray(content) ? lines(content) : (content as string)), ...more);
const results = ({ out }: Answer): string[] => out.map((line) => line.split('\t').slice(0, 2).join(' '));

const phc = (salt: Buffer, hash: Buffer) =>
  [salt, hash].map((bytes) => bytes.toString('base64').replaceAll('=', '')).join('$');

/** The second-step page or the application: past the password. */
const isIn = async (login: string, password: string): Promise<boolean> => {
  const browser = app.browser();
  const page = await browser.submit(await browser.open(new RelyingParty(app.issuer).request().url), {
    login,
    password,
  });
  return !page.url.pathname.startsWith('/sign-in');
};

describe('an account that comes along', () => {
  test('signs in with its old password, which is hashed anew then, and with its old authenticator', async () => {
    const salt = Buffer.alloc(16, 3);
    const hashes: Record<string, string> = {
      argon: await slowHash(PASSWORD, { memoryKiB: 1024, passes: 1 }),
      bcrypt: await bcrypt(PASSWORD, 4),
      scrypt: `$scrypt$ln=10,r=8,p=1$${phc(salt, scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 }))}`,
      pbkdf2: '$pbkdf2-sha256$i=1000$AAECAwQFBgcICQoLDA0ODw$sRg2OYy0CX+zCU9oV4V72ERgAKHHoYS5uKaoeIHS8CU',
    };
    const rows = Object.entries(hashes).map(([name, passwordHash]) => ({
      login: `${name}@old.example`,
      name,
      email: `${name}@old.example`,
      groups: ['staff'],
      locale: 'de',
      passwordHash,
      otpauth: [{ uri: OTPAUTH, label: 'Pixel' }],
      phone: `+4915123456${100 + Object.keys(hashes).indexOf(name)}`,
    }));
    const answer = await importing(rows);
    expect([answer.code, results(answer)]).toEqual([0, ['1 ok', '2 ok', '3 ok', '4 ok']]);
    const everything = JSON.stringify(await app.database.collection('factors').find().toArray());
    expect(everything).not.toMatch(/JBSWY3DP|15123456/);

    for (const [name, hash] of Object.entries(hashes)) {
      const login = `${name}@old.example`;
      const password = name === 'pbkdf2' ? 'café crème' : PASSWORD;
      expect((await stored(login))?.password).toMatchObject({ hash, isImported: true });
      expect(await isIn(login, `${password}.`)).toBe(false);
      expect((await stored(login))?.password?.hash).toBe(hash);
      expect(await isIn(login, password)).toBe(true);
      const renewed = (await stored(login))?.password;
      expect(renewed?.hash).toMatch(/^\$argon2id\$v=19\$m=7168,t=5,p=1\$/);
      expect(renewed?.isImported).toBeUndefined();
      expect(await isIn(login, password)).toBe(true);
    }

    const rp = new RelyingParty(app.issuer);
    const browser = app.browser();
    const { url, verifier } = rp.request();
    let page = await browser.submit(await browser.open(url), { login: 'bcrypt@old.example', password: PASSWORD });
    page = await browser.submit(page, { code: generateSync({ secret: SECRET }) });
    expect((await rp.tokens(page, verifier)).claims).toMatchObject({ acr: 'urn:countersign:acr:2fa' });
    const { id } = (await app.app.accounts.findByLogin('bcrypt@old.example')) ?? { id: '' };
    expect((await app.app.directory.find(id))?.coverage).toEqual({
      covered: true,
      level: '2fa',
      methods: ['totp', 'sms'],
    });
    const told = (await app.app.audit.list({ accountId: id }, { limit: 50 })).filter(
      ({ actor }) => actor.type === 'operator',
    );
    expect(told.map(({ type }) => type)).toEqual(['factor_enrolled', 'factor_enrolled', 'user_created']);
    expect(JSON.stringify(told)).not.toMatch(/JBSWY3DP|15123456|\$2b/);
  });

  test('is throttled like any other', async () => {
    await importing([{ login: 'guessed', name: 'G', passwordHash: await bcrypt(PASSWORD, 4) }]);
    for (let n = 0; n < 5; n += 1) expect(await isIn('guessed', 'wrong')).toBe(false);
    expect(await isIn('guessed', PASSWORD)).toBe(false);
  });

  test('beyond the 72 bytes of bcrypt a password is what it was where it comes from', async () => {
    const passwordHash = await bcrypt('x'.repeat(72), 4);
    await importing([{ login: 'long', name: 'L', passwordHash }]);
    expect(await isIn('long', `${'x'.repeat(72)} and more`)).toBe(true);
    expect((await stored('long'))?.password?.hash).toBe(passwordHash);
  });

  test('with a password in clear is held to our own rules', async () => {
    const answer = await importing([
      { login: 'clear', name: 'C', password: PASSWORD },
      { login: 'weak', name: 'W', password: 'short' },
      { login: 'both', name: 'B', password: PASSWORD, passwordHash: await bcrypt(PASSWORD, 4) },
    ]);
    expect(results(answer)).toEqual(['1 ok', '2 error', '3 error']);
    expect(await isIn('clear', PASSWORD)).toBe(true);
    expect(answer.out.join()).not.toMatch(/lantern|short\b.*short/);
  });
});

describe('again', () => {
  test('what is there is left alone, by login or by the name it has in its source; what is not ours is taken', async () => {
    const rows = [
      { login: 'one@again', name: 'One' },
      { login: 'two@again', name: 'Two', externalId: '0002' },
    ];
    expect(results(await importing(rows))).toEqual(['1 ok', '2 ok']);
    await accounts().updateOne({ login: 'two@again' }, { $set: { login: 'renamed@again' } });
    const before = await accounts().countDocuments();
    const again = await importing(rows);
    expect([again.code, results(again)]).toEqual([0, ['1 exists', '2 exists']]);
    const elsewhere = await importing(rows, '--source', 'other');
    expect([elsewhere.code, results(elsewhere)]).toEqual([1, ['1 error', '2 ok']]);
    await app.app.accounts.create({ login: 'by-hand', name: 'H' });
    const mixed = await importing([
      { login: 'By-Hand', name: 'X' },
      { login: 'one@again', name: 'One', externalId: 'another' },
    ]);
    expect(mixed.out.map((line) => line.split('\t').at(-1))).toEqual(
      Array(2).fill('login: is taken by another account'),
    );
    expect(await accounts().countDocuments()).toBe(before + 2);
  });

  test('a telephone that somebody has is nobody else’s; the others of the batch are stored', async () => {
    const phone = '+4915123450001';
    const answer = await importing([
      { login: 'p1', name: 'P', phone, otpauth: [OTPAUTH] },
      { login: 'p2', name: 'P', phone, otpauth: [OTPAUTH] },
      { login: 'p3', name: 'P' },
    ]);
    expect(answer.out.map((line) => line.split('\t').slice(1))).toEqual([
      ['ok', 'p1', expect.any(String)],
      ['error', 'p2', 'phone: belongs to another account'],
      ['ok', 'p3', expect.any(String)],
    ]);
    expect(await stored('p2')).toBeNull();
  });

  test('--dry-run says the same and stores nothing', async () => {
    const before = await accounts().countDocuments();
    const answer = await importing(
      [{ login: 'dry', name: 'D' }, { login: 'by-hand', name: 'X' }, { login: 'dry' }],
      '--dry-run',
    );
    expect([answer.code, results(answer)]).toEqual([1, ['1 ok', '2 error', '3 error']]);
    expect(answer.err.join('\n')).toContain('1 to be made, 0 there already, 2 wrong');
    expect(await accounts().countDocuments()).toBe(before);
  });

  test('who listens to webhooks hears of them', async () => {
    const owner = await administrator(app, 'owner@example.com', ['owner']);
    await owner.post('/webhooks', { url: 'https://hooks.example/', events: ['account.created'] });
    await importing([{ login: 'announced', name: 'A' }]);
    const { id } = (await app.app.accounts.findByLogin('announced')) ?? {};
    expect(await app.database.collection('outbox').countDocuments({ kind: 'announcement', accountId: id })).toBe(1);
  });
});

describe('bad lines', () => {
  const good = (login: string) => JSON.stringify({ login, name: 'Good' });
  const bad: [string, string | Buffer, RegExp][] = [
    ['no JSON', '{"login": "a', /^line: is not JSON$/],
    ['no object', '["a"]', /^line: must be an object/],
    ['null', 'null', /^line: must be an object/],
    [
      'wrong types',
      '{"login": 7, "name": null, "groups": "x"}',
      /^login: must be a string; name: .+; groups: must be a list$/,
    ],
    [
      'unknown fields',
      '{"login": "a", "name": "A", "pasword": "x", "admin": true}',
      /pasword: is not a field: did you mean password\?; admin: is not a field/,
    ],
    ['nothing that is needed', '{}', /^login: is missing; name: is missing$/],
    ['__proto__', '{"login": "a", "name": "A", "__proto__": {"roles": ["owner"]}}', /^__proto__: is not a field$/],
    ['constructor', '{"login": "a", "name": "A", "constructor": {}}', /^constructor: is not a field/],
    ['roles', '{"login": "a", "name": "A", "roles": ["owner"]}', /^roles: is not a field/],
    [
      'an unknown hash',
      '{"login": "a", "name": "A", "passwordHash": "$1$abc$def"}',
      /^passwordHash: is of no kind that is known here/,
    ],
    [
      'a hash that costs too much',
      `{"login": "a", "name": "A", "passwordHash": "$2b$31$${'C'.repeat(53)}"}`,
      /^passwordHash: /,
    ],
    ['a login that none can be', '{"login": "a b", "name": "A"}', /^login: must have no spaces/],
    ['half a character', '{"login": "a", "name": "\\ud800"}', /^name: has half a character/],
    ['an address that is none', '{"login": "a", "name": "A", "email": "nowhere"}', /^email: must be an address$/],
    ['an unknown language', '{"login": "a", "name": "A", "locale": "fr"}', /^locale: must be one of en, de$/],
    [
      'another kind of code',
      '{"login": "a", "name": "A", "otpauth": ["otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP"]}',
      /^otpauth\[0\]: must be an otpauth:\/\/totp/,
    ],
    [
      'codes of eight digits',
      `{"login": "a", "name": "A", "otpauth": ["${OTPAUTH}&digits=8"]}`,
      /^otpauth\[0\]: must be of SHA1, 6 digits/,
    ],
    [
      'a short secret',
      '{"login": "a", "name": "A", "otpauth": ["otpauth://totp/x?secret=JBSWY3DP"]}',
      /^otpauth\[0\]: must have a secret/,
    ],
    [
      'a telephone alone',
      '{"login": "a", "name": "A", "phone": "+4915123456789"}',
      /^phone: needs another login method beside it$/,
    ],
    [
      'a telephone of nowhere',
      `{"login": "a", "name": "A", "phone": "0151 2345678", "otpauth": ["${OTPAUTH}"]}`,
      /^phone: must be a telephone number/,
    ],
    ['what is not UTF-8', Buffer.from('{"login": "a", "name": "\xff"}', 'latin1'), /^line: is not UTF-8$/],
    ['a megabyte', `{"login": "a", "name": "${'x'.repeat(1_048_576)}"}`, /^line: is longer than 256 KiB$/],
  ];

  test('are told each with what is wrong, and stand among good ones without harm', async () => {
    const content = Buffer.concat([
      Buffer.from(`\uFEFF${good('mark')}\r\n\r\n`),
      Buffer.from(`${good('second')}\n  \n`),
      ...bad.flatMap(([, line], index) => [
        typeof line === 'string' ? Buffer.from(line.replace('"login": "a"', `"login": "bad-${index}"`)) : line,
        Buffer.from('\n'),
      ]),
      Buffer.from(`${good('SECOND')}\n${good('last')}`),
    ]);
    const before = await accounts().countDocuments();
    const answer = await importing(content, '--json');
    expect([answer.code, answer.err.at(-1)]).toEqual([
      1,
      `countersign: ${bad.length + 1} lines are wrong: nothing of them is stored`,
    ]);
    const told = answer.out.map((line) => JSON.parse(line));
    expect(told.map(({ line }) => line)).toEqual([
      1,
      3,
      ...bad.map((_, index) => index + 5),
      bad.length + 5,
      bad.length + 6,
    ]);
    for (const [index, [name, , expected]] of bad.entries()) {
      const { result, problems = [] } = told[index + 2];
      const words = problems.map(({ field, reason }: Record<string, string>) => `${field}: ${reason}`).join('; ');
      expect([name, result, words]).toEqual([name, 'error', expect.stringMatching(expected)]);
    }
    expect(told.at(-2)).toMatchObject({ problems: [{ field: 'login', reason: 'is the same as in line 3' }] });
    expect(await accounts().countDocuments({ login: { $in: ['mark', 'second', 'last'] } })).toBe(3);
    expect(await accounts().countDocuments()).toBe(before + 3);
  });

  test('arguments and files', async () => {
    const { err } = await cli.run('import', '--dry-run', '--what');
    expect(err.slice(0, 2).sort()).toEqual([
      'countersign: --what is not an option of this command',
      'countersign: FILE is missing',
    ]);
    expect((await cli.run('import', join(cli.folder, 'nowhere'))).err[0]).toContain('cannot be read (ENOENT)');
    expect((await cli.run('import', cli.folder)).err[0]).toContain('cannot be read (is no file)');
  });
});

describe('many', () => {
  const COUNT = 5_000;
  const passwordHash = '$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
  const content = lines(
    Array.from({ length: COUNT }, (_, n) => ({
      login: `many-${n}@old.example`,
      name: `Person ${n}`,
      passwordHash,
      ...(n % 100 === 0 ? { otpauth: [OTPAUTH] } : {}),
    })),
  );
  const ours = { login: /^many-/ } as never;

  const start = (...argv: string[]) => {
    const main = join(projectRoot, 'dist/src/cli/main.js');
    const child = spawn(process.execPath, [main, 'import', ...argv, '--config', cli.config], {
      env: { ...cli.env, PATH: process.env.PATH },
    });
    const told = { out: '', err: '' };
    child.stdout.on('data', (data) => {
      told.out += data;
    });
    child.stderr.on('data', (data) => {
      told.err += data;
    });
    return { child, told, ended: new Promise<number | null>((resolve) => child.once('close', resolve)) };
  };

  test('killed in the middle and run again, an import ends as if it had run once', async () => {
    const file = write(content);
    const first = start(file);
    while (!first.told.out.includes('\n') && first.child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    first.child.kill('SIGKILL');
    await first.ended;
    const there = await accounts().countDocuments(ours);
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(COUNT);
    const second = start('-');
    second.child.stdin.end(content);
    expect(await second.ended).toBe(0);
    const told = second.told.out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(told.map(([line]) => Number(line))).toEqual(Array.from({ length: COUNT }, (_, n) => n + 1));
    // What the killed process has stored is there; its last batch may have gone through after it was counted.
    expect(told.filter(([, result]) => result === 'exists').length).toBeGreaterThanOrEqual(there);
    expect(second.told.err).toMatch(/\d+ made, \d+ there already, 0 wrong/);
    const ids = await accounts()
      .find(ours, { projection: { _id: 1 } })
      .map(({ _id }) => _id)
      .toArray();
    expect(ids).toHaveLength(COUNT);
    const of = { accountId: { $in: ids } } as never;
    expect(
      await app.database.collection('audit_events').countDocuments({ type: 'user_created', ...(of as object) }),
    ).toBe(COUNT);
    expect(await app.database.collection('factors').countDocuments(of)).toBe(COUNT / 100);
  }, 180_000);
});
