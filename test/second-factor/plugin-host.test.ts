import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Koa, { type Context, type Middleware } from 'koa';
import mount from 'koa-mount';
import Provider, { interactionPolicy } from 'oidc-provider';
import { generateSync } from 'otplib';
import {
  type Account,
  accountClient,
  CLIENT_METADATA,
  createSecondFactor,
  ensureIndexes,
  recoveryCode,
  type SecondFactor,
  totp,
} from '../../src/index.js';
import { createLogger } from '../../src/platform/logger.js';
import { freePort, testSecrets } from '../support/app.js';
import { Browser } from '../support/browser.js';
import { testDatabase } from '../support/database.js';
import { RelyingParty } from '../support/relying-party.js';

/** A provider that was there before: accounts, login page and adapter of its own. */
const people = new Map<string, Account>(
  ['greta', 'hugo', 'ines', 'jana'].map((id) => [id, { id, login: id, name: id, groups: [], active: true }]),
);

let issuer: string;
let server: Server;
let database: Awaited<ReturnType<typeof testDatabase>>;
let secondFactor: SecondFactor;
const told: string[] = [];

/** `around`: what the host's application has in front of the plugin; the provider is mounted into it, and cookies are not signed. */
async function host(
  isCareless: boolean,
  around?: Middleware[],
): Promise<{ issuer: string; server: Server; secondFactor: SecondFactor }> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const plugin = createSecondFactor({
    issuer: url,
    database,
    accounts: { find: async (id) => people.get(id) },
    methods: [{ method: totp as never }, { method: recoveryCode as never }],
    policy: {
      minimumLevel: '1fa',
      setUp: { required: true },
      groups: [],
      firstEnrolment: 'password',
      timeZone: 'UTC',
      acrAliases: {},
    },
    secrets: testSecrets,
    notifier: { notify: async ({ id }, notice) => void told.push(`${id} ${notice}`) },
    logger: createLogger('silent'),
  });
  const key = {
    ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
    use: 'sig',
  };
  const provider = new Provider(url, {
    clients: [
      accountClient(url) as never,
      {
        client_id: 'rp',
        client_secret: 'host-secret-000000000000',
        redirect_uris: ['https://rp.example/cb'],
        minimum_acr: '2fa',
      },
    ],
    extraClientMetadata: { properties: [...CLIENT_METADATA] },
    jwks: { keys: [{ ...key, alg: 'RS256' } as never] },
    cookies: around ? {} : { keys: ['host-cookie-key'] },
    responseTypes: ['code', 'none'],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
    features: { devInteractions: { enabled: false } },
    findAccount: plugin.guard(async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) })),
    interactions: {
      policy: plugin.policy(interactionPolicy.base()),
      url: (ctx, interaction) =>
        interaction.prompt.name === 'second_factor'
          ? plugin.interactionUrl(ctx as never, interaction as never)
          : `/host/${interaction.uid}`,
    },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId as string,
        accountId: ctx.oidc.session?.accountId as string,
      });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });
  const application = (around ? new Koa() : provider) as Koa;
  for (const middleware of around ?? []) application.use(middleware);
  application.use(plugin.middleware(provider) as never);
  // The host's own login page: a name and nothing else, since the password is its own affair.
  application.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/host/')) return next();
    if (ctx.method === 'GET') {
      ctx.type = 'html';
      ctx.body = `<title>Host</title><h1>Host</h1><form method="post" action="${ctx.path}"><input name="name"></form>`;
      return;
    }
    let form = '';
    for await (const chunk of ctx.req) form += chunk;
    const accountId = new URLSearchParams(form).get('name') ?? '';
    if (isCareless) {
      const login = { accountId, ts: Math.floor(Date.now() / 1000), acr: 'urn:countersign:acr:1fa', amr: ['pwd'] };
      ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login }));
      ctx.status = 303;
    } else await plugin.afterPassword(ctx as never, accountId, ['pwd']);
  });
  application.use(async (ctx, next) => {
    if (ctx.path === '/api/teapot') ctx.throw(418, 'short and stout');
    if (ctx.path !== '/api/page') return next();
    ctx.body = '<script>inline()</script>';
  });
  if (around) application.use(mount(provider as unknown as Koa));
  const listener = createServer(application.callback());
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  return { issuer: url, server: listener, secondFactor: plugin };
}

beforeAll(async () => {
  database = await testDatabase();
  await ensureIndexes(database);
  ({ issuer, server, secondFactor } = await host(false));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await database.drop();
});

const enrol = async (id: string): Promise<string> => {
  const { engine } = secondFactor.services;
  const account = people.get(id) as Account;
  const origin = { requestId: 'test' };
  const step = await engine.beginEnrolment(account, 'totp', origin);
  const secret = /secret=([A-Z2-7]+)/.exec(String(step?.locals.otpauthUri))?.[1] ?? '';
  const outcome = await engine.confirmEnrolment(
    account,
    'totp',
    { code: generateSync({ secret, epoch: Math.floor(Date.now() / 1000) - 30 }) },
    origin,
  );
  expect(outcome.status).toBe('enrolled');
  return secret;
};

describe('a host with accounts and a login page of its own', () => {
  test('gets the second step, the tokens and the security page', async () => {
    const secret = await enrol('greta');
    const rp = new RelyingParty(issuer, 'rp', 'host-secret-000000000000');
    const browser = new Browser(issuer);
    const { url, verifier } = rp.request();
    let page = await browser.submit(await browser.open(url), { name: 'greta' });
    expect(page.url.pathname).toMatch(/^\/second-factor\//);
    expect(browser.cookie('_session')).toBeUndefined();
    page = await browser.submit(page, { code: generateSync({ secret }) });
    const { claims } = await rp.tokens(page, verifier);
    expect(claims).toMatchObject({ sub: 'greta', acr: 'urn:countersign:acr:2fa', amr: ['pwd', 'otp', 'mfa'] });
    expect((await browser.open('/account')).text).toContain('greta');
    expect(told).toContain('greta factor_enrolled');
  });

  test('set-up is led through where no factor is there', async () => {
    const rp = new RelyingParty(issuer, 'rp', 'host-secret-000000000000');
    const browser = new Browser(issuer);
    const page = await browser.submit(await browser.open(rp.request().url), { name: 'hugo' });
    expect(page.url.pathname).toMatch(/\/set-up$/);
  });

  test('gets the recovery desk: a request, a decision, the tokens of a suspension, and its end', async () => {
    await enrol('jana');
    const rp = new RelyingParty(issuer, 'rp', 'host-secret-000000000000');
    const browser = new Browser(issuer);
    const { url, verifier } = rp.request();
    const step = await browser.submit(await browser.open(url), { name: 'jana' });
    const ask = await browser.open(step.url.pathname.replace(/$/, '/cannot-confirm'));
    const waiting = await browser.submit(ask, { circumstances: 'broken' });
    const [, number = ''] = /class="number"[^>]*>([^<]+)</.exec(waiting.html) ?? [];
    const { desk, standings } = secondFactor.services;
    const { items } = await desk.listRequests({ state: 'open', accountId: 'jana' }, { limit: 2 });
    const decided = await desk.decide(
      items[0]?.id ?? '',
      { outcome: 'approved', requestNumber: number, hours: 24, verifiedBy: 'in_person' },
      { type: 'account', id: 'somebody' },
    );
    expect(decided.status).toBe('decided');
    const offered = await browser.open(waiting.url);
    const { claims } = await rp.tokens(await browser.submit(offered, {}, /\/set-up\/later$/), verifier);
    expect(claims).toMatchObject({ sub: 'jana', acr: 'urn:countersign:acr:1fa', amr: ['pwd'] });
    expect(await rp.silent(browser)).toBe('code');
    const { suspension } = await standings.load({ id: 'jana' });
    await desk.end(suspension?.id ?? '', { type: 'account', id: 'somebody' });
    expect(await rp.silent(browser)).toBe('login_required');
    expect(told).toEqual(
      expect.arrayContaining(['jana recovery_request_sent', 'jana recovery_request_approved', 'jana suspension_ended']),
    );
  });

  test('a host that finishes login with the password alone is caught', async () => {
    const careless = await host(true);
    try {
      const rp = new RelyingParty(careless.issuer, 'rp', 'host-secret-000000000000');
      const browser = new Browser(careless.issuer);
      const page = await browser.submit(await browser.open(rp.request().url), { name: 'ines' });
      expect(page.url.pathname).toMatch(/^\/second-factor\//);
      expect(await rp.silent(browser)).toBe('login_required');
    } finally {
      careless.server.closeAllConnections();
      careless.server.close();
    }
  });

  test('keeps its own paths: its errors, its 404, its pages without our headers; and need not sign cookies', async () => {
    const seen: unknown[] = [];
    const errorsOfTheHost: Middleware = async (ctx: Context, next) => {
      try {
        await next();
        if (ctx.status === 404 && ctx.body === undefined)
          Object.assign(ctx, { body: { host: 'not here' }, status: 404 });
      } catch (error) {
        seen.push((error as { status?: number }).status);
        ctx.status = 418;
        ctx.body = { host: 'teapot' };
      }
    };
    const theirs = await host(false, [errorsOfTheHost]);
    try {
      const get = (path: string) => fetch(theirs.issuer + path, { headers: { accept: 'text/html' } });
      const teapot = await get('/api/teapot');
      expect([teapot.status, await teapot.json(), seen]).toEqual([418, { host: 'teapot' }, [418]]);
      const page = await get('/api/page');
      expect(page.headers.get('content-security-policy')).toBeNull();
      expect(page.headers.get('x-request-id')).toBeNull();
      const ours = await get('/second-factor/nobody');
      expect(ours.status).toBe(400);
      expect(ours.headers.get('content-security-policy')).toContain('nonce-');
      const rp = new RelyingParty(theirs.issuer, 'rp', 'host-secret-000000000000');
      const browser = new Browser(theirs.issuer);
      const step = await browser.submit(await browser.open(rp.request().url), { name: 'hugo' });
      expect(step.url.pathname).toMatch(/\/set-up$/);
      const missing = await get('/api/missing');
      expect([missing.status, await missing.json()]).toEqual([404, { host: 'not here' }]);
    } finally {
      theirs.server.closeAllConnections();
      theirs.server.close();
    }
  });
});
