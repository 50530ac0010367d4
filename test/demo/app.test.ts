import type { Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDemoApp } from '../../src/demo/index.js';
import { linksIn } from '../../src/demo/outbox-pages.js';
import { storedTransport } from '../../src/notifications/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let server: Server;
let base: string;
const clock = new FakeClock(new Date(59_000));

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

beforeAll(async () => {
  database = await testDatabase();
  const [port, nobody] = [await freePort(), await freePort()];
  base = `http://localhost:${port}`;
  const app = createDemoApp({
    issuer: `http://localhost:${nobody}`,
    baseUrl: base,
    clientId: 'demo-web',
    clientSecret: 'x',
    accounts: [{ login: 'anna@example.com', name: 'Anna A', password: 'a-public-password', shows: 'a story' }],
    database,
    clock,
  });
  await new Promise<void>((resolve) => {
    server = app.listen(port, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  server.close();
  await database.drop();
});

const get = (path: string, init: RequestInit = {}) => fetch(base + path, { redirect: 'manual', ...init });
const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  get(path, { method: 'POST', body: new URLSearchParams(form), headers: { Origin: base, ...headers } });

describe('pages', () => {
  test.each(['/', '/app', '/authenticator', '/outbox', '/tv', '/signed-out'])(
    '%s opens without an issuer',
    async (path) => {
      const response = await get(path);
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(html.match(/<h1/g)).toHaveLength(1);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    },
  );

  test('an issuer that is away is said kindly, and an unknown page too', async () => {
    const away = await get('/app/sign-in');
    expect(away.status).toBe(400);
    expect(await away.text()).toContain('The sign-in server does not answer');
    expect((await get('/nowhere')).status).toBe(404);
    expect((await post('/tv', {})).status).toBe(400);
  });

  test('an answer that nobody waits for is explained', async () => {
    const response = await get('/callback?code=x&state=y');
    expect(await response.text()).toContain('unknown_state');
  });

  test('styles and script are there', async () => {
    expect((await get('/assets/demo.css')).headers.get('content-type')).toContain('text/css');
    expect((await get('/assets/demo.js')).headers.get('content-type')).toContain('javascript');
    expect((await get('/assets/../main.ts')).status).toBe(404);
  });
});

describe('strangers', () => {
  test('another host name gets nothing', async () => {
    const { port } = server.address() as AddressInfo;
    const status = await new Promise<string>((resolve) => {
      import('node:net').then(({ connect }) => {
        const socket = connect(port, '127.0.0.1', () =>
          socket.write('GET / HTTP/1.1\r\nHost: rebind.test\r\nConnection: close\r\n\r\n'),
        );
        socket.once('data', (data) => resolve(data.toString().split('\r\n')[0] ?? ''));
      });
    });
    expect(status).toContain('421');
  });

  test('a form of a foreign page changes nothing', async () => {
    expect((await post('/authenticator', { key: 'GEZDGNBVGY3TQOJQ' }, { Origin: 'https://evil.test' })).status).toBe(
      403,
    );
    expect((await post('/authenticator', { key: 'GEZDGNBVGY3TQOJQ' }, { Origin: 'null' })).status).toBe(403);
    expect(await (await get('/authenticator')).text()).not.toContain('class="digits"');
  });

  test('a logout order without a good token ends nothing', async () => {
    expect((await post('/backchannel-logout', { logout_token: 'x' })).status).toBe(400);
  });

  test('the API wants a token', async () => {
    const response = await get('/api/timesheets');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });
});

describe('the authenticator', () => {
  test('shows the code of a pasted key, keeps it, and forgets it on demand', async () => {
    const key = 'gezd gnbv gy3t qojq gezd gnbv gy3t qojq';
    expect((await post('/authenticator', { key, name: '<b>Work</b>' })).status).toBe(303);
    await post('/authenticator', { key, name: 'again' });
    const html = await (await get('/authenticator')).text();
    expect(html.match(/287 082/g)).toHaveLength(1);
    expect(html).toContain('data-left="1"');
    expect(html).toContain('&lt;b&gt;Work');
    const id = /name="id" value="([^"]+)"/.exec(html)?.[1] ?? '';
    expect((await post('/authenticator/remove', { id })).status).toBe(303);
    expect(await (await get('/authenticator')).text()).not.toContain('287 082');
  });

  test('says what is wrong with anything else', async () => {
    const response = await post('/authenticator', { key: 'not a key!' });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain('This is not a key');
    expect((await post('/authenticator', { unknown: '1' })).status).toBe(400);
    expect((await post('/authenticator', { key: 'A'.repeat(2_000) })).status).toBe(400);
    expect((await post('/authenticator', { key: 'A'.repeat(20_000) })).status).toBe(413);
    const twice = await get('/authenticator', { method: 'POST', body: new URLSearchParams('key=A&key=B') });
    expect(twice.status).toBe(400);
    expect((await get('/authenticator', { method: 'POST', body: '{}' })).status).toBe(400);
  });
});

describe('the outbox', () => {
  test('lists mails, offers their links, and shows them without letting them act', async () => {
    await storedTransport(database, clock).send({
      id: 'mail-1',
      to: 'anna@example.com',
      subject: 'Reset <your> password',
      text: 'Open http://localhost:4000/link/abc. Or not.',
      html: '<p>Hello</p><script>alert(1)</script>',
    });
    expect(await (await get('/outbox')).text()).toContain('Reset &lt;your&gt; password');
    const page = await (await get('/outbox/mail-1')).text();
    expect(page).toContain('href="http://localhost:4000/link/abc"');
    expect(page).toMatch(/<iframe[^>]+sandbox="allow-popups/);
    const policy = (await get('/outbox/mail-1/html')).headers.get('content-security-policy');
    expect(policy).toMatch(/default-src 'none'.*sandbox/);
    expect(policy).not.toContain('allow-scripts');
    expect((await get('/outbox/none')).status).toBe(404);
    expect((await get('/outbox/none/html')).status).toBe(404);
  });

  test('finds each address once, without the stop behind it', () => {
    expect(linksIn('See https://a.test/x?y=1&z=2). Again: https://a.test/x?y=1&z=2, end')).toEqual([
      'https://a.test/x?y=1&z=2',
    ]);
  });
});
