/** Prevents: anyone getting in, or anything being lost or shown, while the database is away; and staying away after it. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase, isDatabaseUnavailable } from '../../src/platform/database.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { type Person, person, signIn, typePassword, typeRecoveryCode } from './support.js';

/** A way to the run's MongoDB that can be cut and mended: the server itself belongs to all tests. */
class Cable {
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #isCut = false;

  constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) return void near.destroy();
      const far = connect(port, '127.0.0.1');
      for (const [end, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#ends.add(end);
        end.pipe(other);
        end.on('error', () => {});
        end.on('close', () => {
          this.#ends.delete(end);
          other.destroy();
        });
      }
    });
  }
  async plugIn(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }
  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.destroy();
  }
  mend(): void {
    this.#isCut = false;
  }
  async remove(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let cable: Cable;
let app: TestApp;
let rp: RelyingParty;
let anna: Person;
let drop: () => Promise<void>;

beforeAll(async () => {
  const uri = new URL(process.env.TEST_MONGODB_URI ?? '');
  cable = new Cable(Number(uri.port));
  const port = await cable.plugIn();
  const name = `test_away_${process.pid}_${Date.now()}`;
  const through = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const database = await connectDatabase(through, { name, timeoutMs: 1_500 });
  app = await startApp({}, { database: { ...database, uri: through, name } });
  drop = async () => {
    await database.connection.dropDatabase();
    await database.close();
  };
  rp = new RelyingParty(app.issuer);
  anna = await person(app, 'anna@example.com');
}, 60_000);
afterAll(async () => {
  cable.mend();
  await app.stop();
  await drop();
  await cable.remove();
});

test('database away: 503 with Retry-After and a page or a problem, nobody in, nothing told; back: all goes on by itself', async () => {
  const signedIn = app.browser();
  const tokens = await signIn(signedIn, rp, anna);
  const half = app.browser();
  const { url, verifier } = rp.request();
  const atSecondStep = await typePassword(half, url, 'anna@example.com');
  const early = app.browser();
  const atPassword = await early.open(rp.request().url);

  cable.cut();
  const began = Date.now();
  const refused = await Promise.all([
    early.submit(atPassword, { login: 'anna@example.com', password: PASSWORD }),
    half.submit(atSecondStep, { code: anna.authenticator.code() }),
    signedIn.open('/account'),
    signedIn.open(rp.request().url),
    app.browser().open('/password-reset/x'),
  ]);
  for (const [n, page] of refused.entries()) {
    expect({ n, status: page.status, h1: page.h1, retry: page.headers.get('retry-after') }).toEqual({
      n,
      status: 503,
      h1: 'We cannot sign anyone in right now',
      retry: '5',
    });
    expect(page.html).toContain(page.headers.get('x-request-id'));
    expect(page.html).not.toMatch(/mongo|127\.0\.0\.1|ECONN/i);
    expect(page.url.searchParams.get('code')).toBeNull();
  }
  for (const answer of [
    await rp.post('/token', {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: rp.redirectUri,
      code_verifier: verifier,
    }),
    await rp.userinfo(tokens.access_token),
  ]) {
    expect({ status: answer.status, retry: answer.headers.get('retry-after') }).toEqual({ status: 503, retry: '5' });
    expect(await answer.text()).not.toMatch(/mongo|127\.0\.0\.1|ECONN/i);
  }
  const fault = await app.app.accounts.find(anna.account.id).catch((error: unknown) => error);
  expect(isDatabaseUnavailable(fault)).toBe(true);
  // Pages that need no database are still there, and so is the stylesheet.
  expect((await app.browser().open('/forgot-password')).status).toBe(200);
  expect(Date.now() - began).toBeLessThan(25_000);

  cable.mend();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect((await signedIn.open('/account')).text).toContain('anna@example.com');
  expect((await rp.userinfo(tokens.access_token)).status).toBe(200);
  const page = await typeRecoveryCode(half, atSecondStep, anna);
  expect((await rp.tokens(page, verifier)).claims.sub).toBe(anna.account.id);
  const entered = await early.submit(atPassword, { login: 'anna@example.com', password: PASSWORD });
  expect(entered.url.pathname).toMatch(/^\/second-factor\//);
}, 60_000);
