import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Config, ConfigurationError, type ConfigurationProblem, loadConfig } from '../../src/config/index.js';
import { demoAccounts } from '../../src/demo/accounts.js';
import { projectRoot } from '../../src/platform/paths.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Env = Record<string, string | undefined>;
const load = (yaml: string, env: Env = {}): Config => {
  const file = join(folder, 'countersign.yaml');
  writeFileSync(file, yaml);
  return loadConfig(file, env);
};
const problems = (work: () => unknown): readonly ConfigurationProblem[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
};
const problemsOf = (yaml: string, env: Env = {}): Record<string, string> =>
  Object.fromEntries(problems(() => load(yaml, env)).map(({ path, message }) => [path, message]));

const LOCAL = 'issuer: http://localhost:4000\n';
const PUBLIC = 'issuer: https://login.example.com\nmail: { transport: smtp, smtp: { host: smtp.example.com } }\n';
const client = (settings: string) =>
  `${LOCAL}clients:\n  - { client_id: app, client_name: App, redirect_uris: [https://app.example.com/cb], ${settings} }\n`;

test('of a name that is nearly one, at whatever depth, the right one is told', () => {
  const found = problemsOf(
    `${client('redirect_urls: [], minimumAcr: 2fa')}mial: {}\nbranding: { compnyName: X, colour: red }\npolicy: { groups: [{ group: a, minimumlevel: 2fa }] }\n`,
  );
  expect(found).toMatchObject({
    mial: 'is not a setting: did you mean mail?',
    'branding.compnyName': 'is not a setting: did you mean companyName?',
    'branding.colour': 'is not a setting',
    'policy.groups[0].minimumlevel': 'is not a setting: did you mean minimumLevel?',
    'clients[0].redirect_urls': 'is not a setting: did you mean redirect_uris?',
    'clients[0].minimumAcr': 'is not a setting: did you mean minimum_acr?',
  });
});

describe('the files that come with it', () => {
  test('default.yaml lists every setting, and every value in it is the default', () => {
    const config = loadConfig(join(projectRoot, 'config/default.yaml'), {});
    const defaults = load(LOCAL);
    expect(config).toEqual(defaults);
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 4000, drainSeconds: 0 });
    expect(config.methods.map(({ id }) => id)).toEqual(['totp', 'recovery_code']);
    expect(config.policy.acrAliases).toEqual({ 'https://refeds.org/profile/mfa': '2fa' });
  });

  test('demo.yaml holds the accounts of the tour and needs its secret', () => {
    const file = join(projectRoot, 'config/demo.yaml');
    const config = loadConfig(file, { DEMO_APP_SECRET: 'a-secret-of-at-least-22-characters' });
    for (const { shows } of demoAccounts(config.accounts)) expect(shows).not.toBe('An account of your own.');
    expect(config.accounts.map(({ password }) => (password ?? '').length >= 15)).toEqual([
      true,
      true,
      true,
      false,
      true,
      true,
    ]);
    expect(config.clients.map(({ client_id, grant_types }) => [client_id, grant_types])).toEqual([
      ['demo-app', ['authorization_code', 'refresh_token']],
      ['demo-tv', ['urn:ietf:params:oauth:grant-type:device_code']],
    ]);
    expect(problems(() => loadConfig(file, {}))).toMatchObject([{ path: 'clients[0].client_secret_env' }]);
  });

  test('production.example.yaml is valid once its variables are set', () => {
    const file = join(projectRoot, 'config/production.example.yaml');
    const env = {
      MONGODB_URI: 'mongodb://db1/?replicaSet=rs0',
      COUNTERSIGN_SMTP_PASSWORD: 'x',
      INTRANET_SECRET: 'a-secret-of-at-least-22-characters',
    };
    expect(loadConfig(file, env)).toMatchObject({
      listen: { port: 4000 },
      policy: { setUp: { required: true, deadline: new Date('2027-01-31') } },
    });
    expect(problems(() => loadConfig(file, {})).map(({ path }) => path)).toEqual([
      'database.allowEmbedded',
      'mail.smtp.user',
      'clients[0].client_secret_env',
    ]);
  });
});

test('all problems come at once, each with its path and line', () => {
  const found = problems(() =>
    load(
      [
        'issuer: http://login.example.com',
        'sesions: {}',
        'database: { name: 5, size: big }',
        'mail:',
        'sessions: { idleSeconds: 0 }',
        'methods: [{ id: totp }, { id: totp }]',
        'clients:',
        '  - client_id: one',
        '    client_name: One',
        '    client_secret: kept-in-the-file',
        '    redirect_uris: ["http://app.example.com/cb", "https://app.example.com/cb#x"]',
        '  - client_id: two',
        '    client_name: Two',
        '    redirect_uris: [https://two.example.com/cb]',
        'locales: [en]',
        'defaultLocale: de',
      ].join('\n'),
    ),
  );
  expect(found.map(({ path, line }) => `${path}:${line}`)).toEqual([
    'issuer:1',
    'database.name:3',
    'database.size:3',
    'mail:4',
    'sessions.idleSeconds:5',
    'clients[0].redirect_uris[0]:11',
    'clients[0].redirect_uris[1]:11',
    'clients[0].client_secret:10',
    'sesions:2',
    'defaultLocale:16',
    'methods[1].id:6',
    'clients[1].client_secret_env:12',
  ]);
});

test('the message of the error has one line per problem, and no secret of the file', () => {
  expect(() => load(`${LOCAL}demo: maybe\nclients: [{ client_id: app, client_secret: kept-in-the-file }]`)).toThrow(
    /countersign\.yaml is not valid:\n {2}clients\[0\]\.client_name \(line 3\): is missing\n.*client_secret \(line 3\): is not a setting\n {2}demo \(line 2\): must be a?/s,
  );
  try {
    load(`${LOCAL}clients: [{ client_id: app, client_secret: kept-in-the-file }]`);
  } catch (error) {
    expect(String(error)).not.toContain('kept-in-the-file');
  }
});

test.each([
  ['a mapping that does not close', 'issuer: {\nmail: 1\n', 2],
  ['a tab', 'issuer: http://localhost:4000\nmail:\n\ttransport: outbox\n', 3],
  ['a setting written twice', `${LOCAL}demo: false\ndemo: false\n`, 3],
])('YAML: %s is named with its line', (_what, yaml, line) => {
  const found = problems(() => load(yaml));
  expect(found.length).toBeGreaterThan(0);
  expect(found[0]?.path).toBe('YAML');
  expect(found.some((problem) => Math.abs((problem.line ?? 0) - line) <= 1)).toBe(true);
});

test('a file that is empty, is a list, or is not there', () => {
  expect(problemsOf('')).toEqual({ issuer: 'is missing' });
  expect(problemsOf('- issuer')).toEqual({ YAML: expect.stringContaining('name: value') });
  expect(problems(() => loadConfig(join(folder, 'none.yaml'), {}))).toMatchObject([
    { path: join(folder, 'none.yaml'), message: 'cannot be read (ENOENT)' },
  ]);
});

describe('the issuer', () => {
  test.each([
    ['http://localhost:4000', 4000],
    ['http://127.0.0.1:80', 80],
  ])('%s', (issuer, port) => {
    const expected = issuer.replace(/:80$/, '');
    expect(load(`issuer: ${expected}`).listen.port).toBe(port);
  });
  test('may have a path, and its port is the default of the listener', () => {
    const env = { MONGODB_URI: 'mongodb://db/' };
    const mail = 'mail: { transport: smtp, smtp: { host: smtp.example.com } }';
    expect(load(`issuer: https://www.example.com/login\n${mail}`, env).listen.port).toBe(443);
    expect(load('issuer: http://localhost:4000/id\nlisten: { port: 5000 }').listen.port).toBe(5000);
  });
  test.each([
    ['https://login.example.com/', /write https:\/\/login\.example\.com$/],
    ['https://login.example.com?a=1', /no query/],
    ['https://Login.example.com', /write https:\/\/login\.example\.com$/],
    ['https://login.example.com:443', /plain form/],
    ['http://login.example.com', /must be https/],
    ['ftp://login.example.com', /must be an https URL/],
    ['login.example.com', /must be an https URL/],
    ['https://a:b@login.example.com', /no user name/],
  ])('%s is refused', (issuer, message) => {
    expect(problemsOf(`issuer: "${issuer}"`).issuer).toMatch(message);
  });
});

describe('rules between settings', () => {
  // Taken as a rest parameter: to a fifth parameter of its own jest would give its `done`.
  const cases: [string, string, string, RegExp, Env?][] = [
    ['the demonstration on a public issuer', `${PUBLIC}demo: true`, 'demo', /public passwords/],
    ['the embedded database on a public issuer', PUBLIC, 'database.allowEmbedded', /set MONGODB_URI/],
    ['mails that never leave on a public issuer', 'issuer: https://a.example', 'mail.transport', /must be smtp/],
    ['smtp without a server', `${LOCAL}mail: { transport: smtp }`, 'mail.smtp', /missing/],
    [
      'smtp with a user and no password',
      `${LOCAL}mail: { transport: smtp, smtp: { host: a, user: b } }`,
      'mail.smtp.user',
      /COUNTERSIGN_SMTP_PASSWORD is not set/,
    ],
    ['a default language that is not offered', `${LOCAL}locales: [en]\ndefaultLocale: de`, 'defaultLocale', /en/],
    [
      'an idle time beyond the overall one',
      `${LOCAL}sessions: { idleSeconds: 10, overallSeconds: 5 }`,
      'sessions.idleSeconds',
      /not be longer/,
    ],
    ['a method twice', `${LOCAL}methods: [{ id: totp }, { id: totp }]`, 'methods[1].id', /same as methods\[0\]/],
    [
      'a group twice',
      `${LOCAL}policy: { groups: [{ group: a }, { group: a }] }`,
      'policy.groups[1].group',
      /same as policy\.groups\[0\]/,
    ],
    [
      'a login twice, in other letters',
      `${LOCAL}accounts: [{ login: Anna, name: A }, { login: anna, name: B }]`,
      'accounts[1].login',
      /same as accounts\[0\]/,
    ],
    [
      'a resource twice',
      `${LOCAL}resources: [{ identifier: 'https://a.example/' }, { identifier: 'https://a.example/' }]`,
      'resources[1].identifier',
      /same/,
    ],
    [
      'a password in the file outside the demonstration',
      `${LOCAL}accounts: [{ login: a, name: A, password: fifteen-or-more-characters }]`,
      'accounts[0].password',
      /demonstration only/,
    ],
    [
      'a password variable that is not set',
      `${LOCAL}accounts: [{ login: a, name: A, password_env: FIRST_PASSWORD }]`,
      'accounts[0].password_env',
      /FIRST_PASSWORD is not set/,
    ],
    ['a logo that is not there', `${LOCAL}branding: { logo: none.svg }`, 'branding.logo', /no file/],
    ['a zone that does not exist', `${LOCAL}policy: { timeZone: Mars/Base }`, 'policy.timeZone', /time zone/],
    ['an alias that is ours', `${LOCAL}policy: { acrAliases: { phr: 1fa } }`, 'policy.acrAliases', /of our own/],
    [
      'a long-lived access token',
      `${LOCAL}resources: [{ identifier: 'a:b', ttlSeconds: 301 }]`,
      'resources[0].ttlSeconds',
      /300/,
    ],
    ['a colour that is none', `${LOCAL}branding: { accent: green }`, 'branding.accent', /colour/],
    [
      'a link that runs',
      `${LOCAL}branding: { links: [{ label: x, href: 'javascript:x' }] }`,
      'branding.links[0].href',
      /link/,
    ],
  ];
  test.each(cases)('%s', (...[, yaml, path, message, env]) => {
    expect(problemsOf(yaml, env)[path]).toMatch(message);
  });

  test('what each rule asks for is enough', () => {
    const env = { MONGODB_URI: 'mongodb://db/', COUNTERSIGN_SMTP_PASSWORD: 'x', FIRST_PASSWORD: 'y' };
    expect(problemsOf(PUBLIC, env)).toEqual({});
    expect(problemsOf(`${PUBLIC}database: { allowEmbedded: true }`)).toEqual({});
    expect(problemsOf(`${LOCAL}mail: { transport: smtp, smtp: { host: a, user: b } }`, env)).toEqual({});
    expect(problemsOf(`${LOCAL}accounts: [{ login: a, name: A, password_env: FIRST_PASSWORD }]`, env)).toEqual({});
    expect(problemsOf(`${LOCAL}demo: true\naccounts: [{ login: a, name: A, password: fifteen-or-more-c }]`)).toEqual(
      {},
    );
  });

  test('the logo is found beside the file', () => {
    writeFileSync(join(folder, 'logo.svg'), '<svg/>');
    expect(load(`${LOCAL}branding: { logo: logo.svg }`).branding.logo).toBe(join(folder, 'logo.svg'));
  });
});

describe('clients', () => {
  const SECRET = { APP_SECRET: 'a-secret-of-at-least-22-characters' };
  const at = (field: string) => `clients[0].${field}`;
  const cases: [string, string, string, RegExp, Env?][] = [
    ['confidential without a secret', '', 'client_secret_env', /needs a secret/],
    ['a secret that is not set', 'client_secret_env: APP_SECRET', 'client_secret_env', /APP_SECRET is not set/],
    ['a short secret', 'client_secret_env: APP_SECRET', 'client_secret_env', /22 characters/, { APP_SECRET: 'short' }],
    [
      'public with a secret',
      'token_endpoint_auth_method: none, client_secret_env: APP_SECRET',
      'client_secret_env',
      /no use/,
      SECRET,
    ],
    ['public without PKCE', 'token_endpoint_auth_method: none, require_pkce: false', 'require_pkce', /public client/],
    ['private_key_jwt without keys', 'token_endpoint_auth_method: private_key_jwt', 'jwks', /needs jwks/],
    [
      'a private key',
      'token_endpoint_auth_method: private_key_jwt, jwks: { keys: [{ kty: EC, d: x }] }',
      'jwks.keys[0]',
      /secret/,
    ],
    [
      'keys twice',
      'token_endpoint_auth_method: private_key_jwt, jwks: { keys: [{ kty: EC }] }, jwks_uri: "https://a.example/k"',
      'jwks_uri',
      /beside jwks/,
    ],
    ['pairwise subjects', 'subject_type: pairwise', 'subject_type', /public/],
    ['the implicit flow', 'response_types: [id_token]', 'response_types[0]', /code/],
    ['the password grant', 'grant_types: [password]', 'grant_types[0]', /authorization_code/],
    [
      'refresh tokens without their grant',
      'issue_refresh_token: true, grant_types: [authorization_code]',
      'issue_refresh_token',
      /refresh_token/,
    ],
    [
      'the device grant while it is off',
      "token_endpoint_auth_method: none, grant_types: ['urn:ietf:params:oauth:grant-type:device_code']",
      'grant_types',
      /deviceFlow\.enabled/,
    ],
    [
      'client credentials for a public client',
      'token_endpoint_auth_method: none, grant_types: [client_credentials]',
      'grant_types',
      /authenticate themselves/,
    ],
    ["a resource's scope", 'scope: openid reports:read', 'scope', /remove reports:read/],
    [
      'an origin with a path',
      'cors_origins: ["https://a.example/x"]',
      'cors_origins[0]',
      /write https:\/\/a\.example$/,
    ],
    ['a level that does not exist', 'minimum_acr: 3fa', 'minimum_acr', /1fa, 2fa-remembered, 2fa, phr/],
  ];
  test.each(cases)('%s is refused', (...[, settings, field, message, env]) => {
    expect(problemsOf(client(settings), env)[at(field)]).toMatch(message);
  });

  test('a scheme of its own is for native applications', () => {
    const yaml = (type: string) =>
      `${LOCAL}clients: [{ client_id: app, client_name: A, application_type: ${type}, token_endpoint_auth_method: none, redirect_uris: ['com.example.app:/cb', 'myapp:/cb'] }]`;
    expect(problemsOf(yaml('native'))).toEqual({ [at('redirect_uris[1]')]: expect.stringMatching(/dot/) });
    const one = yaml('web').replace(", 'myapp:/cb'", '');
    expect(problemsOf(one)).toEqual({ [at('redirect_uris[0]')]: expect.stringMatching(/native/) });
  });

  test('the code grant needs an address to go to', () => {
    const yaml = `${LOCAL}clients: [{ client_id: app, client_name: A, token_endpoint_auth_method: none }]`;
    expect(problemsOf(yaml)).toEqual({ [at('redirect_uris')]: expect.stringMatching(/at least one/) });
  });

  test('two of the same id, with one of them broken otherwise', () => {
    const yaml = `${LOCAL}clients:\n  - { client_id: app }\n${'  - { client_id: two, client_name: T, token_endpoint_auth_method: none, redirect_uris: ["https://a.example/"] }\n'.repeat(2)}`;
    expect(problemsOf(yaml)).toEqual({
      'clients[0].client_name': 'is missing',
      'clients[2].client_id': 'is the same as clients[1].client_id',
    });
  });

  test('defaults; a level may be given by its URN; the secret may come from a file', () => {
    writeFileSync(join(folder, 'secret'), `${SECRET.APP_SECRET}\n`);
    const yaml = client(
      'client_secret_env: APP_SECRET, minimum_acr: "urn:countersign:acr:2fa", issue_refresh_token: true',
    );
    const [app] = load(yaml, { APP_SECRET_FILE: join(folder, 'secret') }).clients;
    expect(app).toMatchObject({
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      require_pkce: true,
      first_party: false,
      accept_suspended: true,
      minimum_acr: '2fa',
    });
    expect(JSON.stringify(app)).not.toContain(SECRET.APP_SECRET);
  });
});
