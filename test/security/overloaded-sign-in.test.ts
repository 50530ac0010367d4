/** Prevents: sign-ins by the thousand keeping the machine from everything else, and a full queue telling who has an account. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPasswords } from '../../src/accounts/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { slowHash, slowVerify } from '../../src/platform/slow-hash.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';
import type { Page } from '../support/browser.js';
import { RelyingParty } from '../support/relying-party.js';

let app: TestApp;
let rp: RelyingParty;
let held: (() => void)[] | undefined;
beforeAll(async () => {
  const passwords = createPasswords({
    random: systemRandom,
    width: 1,
    queueLength: 1,
    derive: {
      slowHash,
      async slowVerify(...made) {
        if (held) await new Promise<void>((resolve) => held?.push(resolve));
        return slowVerify(...made);
      },
    },
  });
  app = await startApp({}, { passwords });
  rp = new RelyingParty(app.issuer);
  await app.account('anna@example.com');
});
afterAll(() => app.stop());

const atPassword = async () => {
  const browser = app.browser();
  return { browser, page: await browser.open(rp.request().url) };
};
/** What a person sees, without what differs in every request. */
const shown = ({ text, headers }: Page): string => text.replaceAll(headers.get('x-request-id') ?? '', '');

test('the queue full: the same clear page, 503 and Retry-After whoever it is; what waits is served, and all goes on', async () => {
  const [first, second, known, unknown] = await Promise.all([atPassword(), atPassword(), atPassword(), atPassword()]);
  const type = ({ browser, page }: Awaited<ReturnType<typeof atPassword>>, login: string) =>
    browser.submit(page, { login, password: PASSWORD });

  held = [];
  const working = type(first, 'anna@example.com');
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const waiting = type(second, 'nobody@example.com');
  // The one that waits counts its attempt before it does.
  const attempts = app.database.collection('attempts');
  while ((await attempts.countDocuments({ _id: { $regex: /^login:/ } as never })) < 2)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 300));

  const refused = [await type(known, 'anna@example.com'), await type(unknown, 'nobody-else@example.com')];
  for (const { status, h1, headers } of refused)
    expect([status, h1, headers.get('retry-after')]).toEqual([503, 'Very busy right now', '2']);
  expect(shown(refused[0] as Page)).toBe(shown(refused[1] as Page));
  expect((await app.browser().open('/forgot-password')).status).toBe(200);

  const [one] = held;
  held = undefined;
  one?.();
  expect((await working).url.pathname).not.toMatch(/^\/sign-in\//);
  expect((await waiting).status).toBe(422);
  expect((await type(known, 'anna@example.com')).status).toBeLessThan(400);
});
