import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { runCli } from '../../src/cli/index.js';
import { projectRoot } from '../../src/platform/paths.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { testDatabase } from '../support/database.js';

const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
let database: Awaited<ReturnType<typeof testDatabase>>;
let folder: string;
let config: string;
let env: Record<string, string>;
let port: number;
beforeAll(async () => {
  database = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
  config = join(folder, 'countersign.yaml');
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  port = (probe.address() as { port: number }).port;
  await new Promise((resolve) => probe.close(resolve));
  writeFileSync(
    config,
    [
      `issuer: http://localhost:${port}`,
      `database: { name: ${database.name} }`,
      'log: { level: silent }',
      'accounts: [{ login: first@example.com, name: First, email: first@example.com }, { login: second, name: Second, password_env: SECOND_PASSWORD }]',
      'clients: [{ client_id: configured, client_name: Configured, client_secret_env: NOT_SET_HERE, redirect_uris: [https://a.example/cb] }]',
    ].join('\n'),
  );
  env = {
    MONGODB_URI: database.uri,
    COUNTERSIGN_SEALING_KEYS: `one:${key(1)}`,
    COUNTERSIGN_COOKIE_KEYS: key(2),
    COUNTERSIGN_INDEX_KEY: key(3),
  };
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.drop();
});

let out: string[];
let err: string[];
beforeEach(() => {
  out = [];
  err = [];
});
const cli = (...argv: string[]) =>
  runCli(argv, { env, out: (line) => void out.push(line), err: (line) => void err.push(line) });
const count = (collection: string) => database.collection(collection).countDocuments();
const mails = () => database.collection('outbox').countDocuments({ kind: 'mail' });

describe('arguments', () => {
  test('all that is wrong with them comes at once, and nothing is done', async () => {
    expect(await cli('accounts', 'add', '--lgin', 'x', '--email=', '--name', '--invite=yes', '--invite', 'extra')).toBe(
      1,
    );
    expect(
      err
        .slice(0, -1)
        .map((line) => line.replace('countersign: ', ''))
        .sort(),
    ).toEqual([
      '--config is missing',
      '--email needs a value',
      '--invite is given twice',
      '--invite takes no value',
      '--lgin is not an option of this command',
      '--login is missing',
      '--name needs a value',
      'extra is not expected here',
      'x is not expected here',
    ]);
    expect(err.at(-1)).toBe('See countersign accounts add --help');
    expect(out).toEqual([]);
    expect(await count('accounts')).toBe(0);
  });

  test('an unknown command, and help', async () => {
    expect(await cli('accounts', 'remove')).toBe(1);
    expect(err).toEqual(['countersign: there is no command accounts remove', 'See countersign --help']);
    expect(await cli('--help')).toBe(0);
    expect(out.join('\n')).toMatch(/countersign start .*countersign clients list/s);
    out = [];
    expect(await cli('clients', 'add', '--help')).toBe(0);
    expect(out.join('\n')).toMatch(/--redirect-uri URI .*\(required, may be repeated\)/);
  });

  test('a configuration with mistakes is told in full', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, 'issuer: x\nsesions: {}\n');
    expect(await cli('accounts', 'list', '--config', wrong)).toBe(1);
    expect(err.join('\n')).toMatch(
      /issuer \(line 1\): must be .*\n {2}sesions \(line 2\): is not a setting: did you mean sessions\?/,
    );
  });

  test('missing keys are told all at once, by name', async () => {
    const nothing = { MONGODB_URI: env.MONGODB_URI };
    const io = { env: nothing, out: () => {}, err: (line: string) => void err.push(line) };
    expect(await runCli(['accounts', 'list', '--config', config], io)).toBe(1);
    for (const name of ['SEALING_KEYS', 'COOKIE_KEYS', 'INDEX_KEY'])
      expect(err.join('\n')).toContain(`COUNTERSIGN_${name}: is not set`);
  });
});

describe('accounts', () => {
  test('add makes one with its groups; the same login again is refused; list shows it', async () => {
    const add = ['accounts', 'add', '--config', config, '--login', 'Anna', '--name', 'Anna A.'];
    expect(await cli(...add, '--group', 'staff', '--group', 'finance')).toBe(0);
    expect(await cli(...add, '--invite')).toBe(1);
    expect(err).toEqual(['countersign: --invite needs --email', 'countersign: --login is taken']);
    out = [];
    expect(await cli('accounts', 'list', '--config', config)).toBe(0);
    expect(out).toEqual([expect.stringMatching(/^[0-9a-f]{32}\tanna\tAnna A\.\tactive\tstaff,finance$/)]);
    expect(await mails()).toBe(0);
  });

  test('--invite puts one mail in the outbox, without showing its link', async () => {
    const who = ['--login', 'ben@example.com', '--name', 'Ben', '--email', 'ben@example.com'];
    expect(await cli('accounts', 'add', '--config', config, ...who, '--invite')).toBe(0);
    expect(await mails()).toBe(1);
    expect(out.join('\n')).not.toContain('/invitation/');
    expect(out.at(-1)).toContain('mail.transport is outbox, which sends nothing');
    const types = await database.collection('audit_events').distinct('type');
    expect(types).toEqual(['invitation_sent', 'user_created']);
  });

  test('an address that is none leaves nothing behind', async () => {
    const before = await count('accounts');
    expect(await cli('accounts', 'add', '--config', config, '--login', 'c', '--name', 'C', '--email', 'nowhere')).toBe(
      1,
    );
    expect(err[0]).toBe('countersign: --email is no address');
    expect(await count('accounts')).toBe(before);
  });
});

describe('clients', () => {
  const add = (...more: string[]) => cli('clients', 'add', '--config', config, '--name', 'App', ...more);

  test('add prints what to paste; the secret is sealed and shown once', async () => {
    expect(await add('--id', 'app', '--redirect-uri', 'https://app.example.com/cb', '--minimum-acr', '2fa')).toBe(0);
    const text = out.join('\n');
    expect(text).toContain(`http://localhost:${port}/.well-known/openid-configuration`);
    const [, secret = ''] = /client_secret {2}(\S+)/.exec(text) ?? [];
    expect(secret).toMatch(/^[A-Za-z0-9\-._~]{43}$/);
    const stored = await database.collection<{ _id: string; sealedSecret: string }>('clients').findOne({ _id: 'app' });
    expect(stored).toMatchObject({ metadata: { client_id: 'app', minimum_acr: '2fa', first_party: false } });
    expect(JSON.stringify(stored)).not.toContain(secret);
    const box = createSecretBox([{ id: 'one', key: Buffer.alloc(32, 1) }], Buffer.alloc(32, 3));
    expect(box.open(stored?.sealedSecret ?? '', 'client/app/secret').toString()).toBe(secret);
    out = [];
    await cli('clients', 'list', '--config', config);
    expect(out.join('\n')).not.toContain(secret);
  });

  test('a public one has no secret', async () => {
    expect(await add('--id', 'spa', '--redirect-uri', 'https://spa.example.com/', '--public', '--first-party')).toBe(0);
    expect(out.join('\n')).not.toContain('client_secret');
    out = [];
    await cli('clients', 'list', '--config', config);
    expect(out).toEqual([
      'configured\tConfigured\tconfidential\tconfiguration',
      'app\tApp\tconfidential\tdatabase',
      'spa\tApp\tpublic\tdatabase',
    ]);
  });

  test('what particular libraries need is an option each', async () => {
    const options =
      '--auth-method client_secret_post --id-token-alg ES256 --claims-in-id-token --refresh-token --without-pkce';
    expect(await add('--id', 'odd', '--redirect-uri', 'https://odd.example.com/cb', ...options.split(' '))).toBe(0);
    expect(out.at(-1)).toBe('PKCE           not required');
    expect(await database.collection<{ _id: string }>('clients').findOne({ _id: 'odd' })).toMatchObject({
      metadata: {
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256',
        claims_in_id_token: true,
        grant_types: ['authorization_code', 'refresh_token'],
        require_pkce: false,
      },
    });
    await database.collection<{ _id: string }>('clients').deleteOne({ _id: 'odd' });
    out = [];
    expect(await add('--id', 'odd', '--redirect-uri', 'https://odd.example.com/cb', '--public', '--without-pkce')).toBe(
      1,
    );
    expect(err[0]).toContain('--without-pkce is not for --public applications');
    err = [];
    const wrong = ['--auth-method', 'magic', '--cors-origin', 'https://a.example/path'];
    expect(await add('--id', 'odd', '--redirect-uri', 'https://odd.example.com/cb', ...wrong)).toBe(1);
    expect(err.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'countersign: --auth-method',
      'countersign: --cors-origin',
    ]);
  });

  test('an id that is taken, in the database or in the configuration, is refused', async () => {
    for (const id of ['app', 'configured']) {
      err = [];
      expect(await add('--id', id, '--redirect-uri', 'https://app.example.com/cb')).toBe(1);
      expect(err[0]).toBe('countersign: --id is taken');
    }
    expect(out).toEqual([]);
  });

  test('wrong values come at once, in the words of the options', async () => {
    const before = await count('clients');
    expect(
      await add(
        '--id',
        'two words',
        '--redirect-uri',
        'https://a.example/',
        '--redirect-uri',
        'http://b.example/',
        '--minimum-acr',
        '3fa',
      ),
    ).toBe(1);
    expect(err).toEqual([
      'countersign: --id must be printable characters without spaces',
      'countersign: --redirect-uri (number 2) must be https: plain http is for localhost only',
      expect.stringContaining('--minimum-acr must be one of 1fa'),
    ]);
    expect(await count('clients')).toBe(before);
  });
});

describe('start', () => {
  const run = (more: Record<string, string>) => {
    const child = spawn(process.execPath, [join(projectRoot, 'dist/src/cli/main.js'), 'start', '--config', config], {
      env: { ...env, NOT_SET_HERE: 'a-secret-of-at-least-22-characters', ...more },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        text += data;
      });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const says = async (words: string) => {
      while (!text.includes(words)) {
        if (child.exitCode !== null) throw new Error(`it ended: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    return { child, ended, says, text: () => text };
  };

  test('a first password that is too weak is refused before any account is made', async () => {
    const before = await count('accounts');
    const { ended, text } = run({ SECOND_PASSWORD: 'short' });
    expect(await ended).toBe(1);
    expect(text()).toContain('the first password of second is refused: too_short');
    expect(text()).not.toContain('short.');
    expect(await count('accounts')).toBe(before);
  });

  test('makes the configured accounts once, says when it is ready, and stops in order on SIGTERM', async () => {
    const first = run({ SECOND_PASSWORD: 'correct-walrus-lantern-7' });
    await first.says(`Ready: http://localhost:${port}`);
    const discovery = await fetch(`http://localhost:${port}/.well-known/openid-configuration`);
    expect(await discovery.json()).toMatchObject({ issuer: `http://localhost:${port}` });
    const copy = run({ SECOND_PASSWORD: 'correct-walrus-lantern-7' });
    expect(await copy.ended).toBe(1);
    expect(copy.text()).toContain(`port ${port} is in use`);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    const second = run({ SECOND_PASSWORD: 'another-walrus-lantern-8' });
    await second.says('Ready:');
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    const accounts = await database.collection('accounts').find().toArray();
    const named = (login: string) => accounts.filter((account) => account.login === login).map(({ _id }) => _id);
    expect(named('second')).toHaveLength(1);
    expect(named('first@example.com')).toHaveLength(1);
    const invited = { type: 'invitation_sent', accountId: named('first@example.com')[0] };
    expect(await database.collection('audit_events').countDocuments(invited as never)).toBe(1);
  }, 90_000);
});

describe('administrators', () => {
  test('the first owner comes from the command line, and the last one stays', async () => {
    expect(await cli('accounts', 'add', '--config', config, '--login', 'olga', '--name', 'Olga')).toBe(0);
    expect(await cli('accounts', 'grant', '--config', config, '--login', 'olga', '--role', 'owner')).toBe(0);
    expect(out.at(-1)).toBe('olga is owner now.');
    expect(await cli('accounts', 'revoke', '--config', config, '--login', 'olga', '--role', 'owner')).toBe(1);
    expect(err.at(-1)).toContain('The last owner stays owner');
    expect(await cli('accounts', 'grant', '--config', config, '--login', 'olga', '--role', 'king')).toBe(1);
    expect(err.at(-1)).toContain('--role must be one of auditor, helpdesk, admin, owner');
    const told = await database.collection('audit_events').find({ type: 'role_granted' }).toArray();
    expect(told.map(({ details }) => details)).toEqual([{ role: 'owner' }]);
  });
});
