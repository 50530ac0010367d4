/** `npm run bench:sms`: what pressing "Send code" costs, with a Twilio that answers at once and with one that takes five seconds. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import { numberIndex, sealNumber } from '../../plugins/sms/data.js';
import { loadSecrets } from '../../src/config/index.js';
import { startTwilio } from '../../src/demo/twilio/index.js';
import { createSecretBox } from '../../src/platform/secret-box.js';
import { type BenchAccount, fillOurs } from '../accounts.js';
import { Browser, type Page } from '../browser.js';
import { freePort, type Ground, makeSecrets, onGround, say } from '../ground.js';
import { callsSoFar, quantile } from '../measure.js';
import { cpuMs, startServerProcess } from '../processes.js';
import { CLIENT_ID, CONCURRENCY, PASSWORD, REDIRECT_URI } from '../settings.js';
import { ACCOUNT_SID, AUTH_TOKEN, GOALS, LOADS, TOKEN_VARIABLE, WARM_UP } from './settings.js';

interface Waiting {
  browser: Browser;
  page: Page;
}

/** As far as the page with the button. */
async function atTheButton(origin: string, { login }: BenchAccount): Promise<Waiting> {
  const browser = new Browser(origin);
  const url = new URL('/auth', origin);
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  for (const [name, value] of Object.entries({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }))
    url.searchParams.set(name, value);
  const second = await browser.submit(await browser.open(url), { login, password: PASSWORD });
  const entry = second.url.pathname.replace(/^(\/second-factor\/[^/]+).*/, '$1/with/sms');
  return { browser, page: await browser.open(new URL(entry, origin)) };
}

interface Round {
  latencies: number[];
  cpu: number;
  /** Database calls, those of deliveries and callbacks in the meantime among them. */
  calls: number;
}

/** Everybody presses once, at an even pace. The answer is the redirect back to the page, which is not followed here. */
async function press(
  waiting: readonly Waiting[],
  everyMs: number,
  { pid, admin }: { pid: number; admin: mongo.Db },
): Promise<Round> {
  const callsBefore = await callsSoFar(admin);
  const before = cpuMs(pid);
  const latencies = await Promise.all(
    waiting.map(async ({ browser, page }, place) => {
      await pause(place * everyMs);
      const began = performance.now();
      const { status } = await browser.post(page, /\/send$/);
      if (status !== 303) throw new Error(`status ${status} instead of a redirect`);
      return performance.now() - began;
    }),
  );
  const cpu = (cpuMs(pid) - before) / waiting.length;
  return { latencies, cpu, calls: ((await callsSoFar(admin)) - callsBefore) / waiting.length };
}

const row = (name: string, { latencies, cpu, calls }: Round): string =>
  `| ${name} | ${quantile(latencies, 0.5).toFixed(1)} | ${quantile(latencies, 0.99).toFixed(1)} | ${Math.max(...latencies).toFixed(1)} | ${cpu.toFixed(1)} | ${calls.toFixed(1)} |`;

async function run({ folder, uri, client, stops }: Ground): Promise<string> {
  const twilio = await startTwilio({ accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN });
  stops.unshift(() => twilio.stop());
  const keys = makeSecrets();
  const server = await startServerProcess('ours', {
    ...keys,
    BENCH_PORT: String(await freePort()),
    BENCH_MONGODB_URI: uri,
    BENCH_DATABASE: 'bench',
    BENCH_FOLDER: folder,
    BENCH_TWILIO: twilio.url,
    [TOKEN_VARIABLE]: AUTH_TOKEN,
  });
  stops.unshift(server.stop);

  const admin = client.db('admin');
  const count = WARM_UP + LOADS.reduce((sum, { presses }) => sum + presses, 0);
  const secrets = loadSecrets(keys);
  const ours = client.db('bench');
  const people = await fillOurs(ours, { count, secrets });
  await addNumbers(ours, createSecretBox(secrets.sealingKeys, secrets.indexKey));
  say(`${count} sign-ins as far as the button`);
  const waiting: Waiting[] = [];
  for (let at = 0; at < count; at += CONCURRENCY)
    waiting.push(
      ...(await Promise.all(people.slice(at, at + CONCURRENCY).map((one) => atTheButton(server.origin, one)))),
    );

  const on = { pid: server.pid, admin };
  say('warm up');
  await press(waiting.splice(0, WARM_UP), 50, on);
  const rows: string[] = [];
  const verdicts: string[] = [];
  for (const { name, twilioMs, presses, everyMs } of LOADS) {
    say(`Twilio answers ${name}`);
    twilio.plan({ slowMs: twilioMs });
    const round = await press(waiting.splice(0, presses), everyMs, on);
    rows.push(row(name, round));
    const p99 = quantile(round.latencies, 0.99);
    if (twilioMs > 0) verdicts.push(`${name}: ${p99 <= GOALS.p99Ms ? 'within' : 'OVER'} ${GOALS.p99Ms} ms`);
    // What is on its way still is no part of what comes next.
    await pause(twilioMs + 2_000);
  }
  return [
    '| "Send code"; Twilio answers | p50 ms | p99 ms | longest ms | server CPU ms | database calls |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `p99 ${verdicts.join('; ')}.`,
  ].join('\n');
}

async function addNumbers(database: mongo.Db, secretBox: ReturnType<typeof createSecretBox>): Promise<void> {
  const accounts = await database
    .collection<{ _id: string }>('accounts')
    .find({}, { projection: { _id: 1 } })
    .toArray();
  await database.collection<{ _id: string }>('factors').insertMany(
    accounts.map(({ _id: accountId }, index) => {
      const number = `+1212555${String(index).padStart(4, '0')}`;
      const _id = randomBytes(16).toString('base64url');
      return {
        _id,
        accountId,
        method: 'sms',
        state: 'active',
        label: `···· ${number.slice(-2)}`,
        exclusive: numberIndex(secretBox, number),
        createdAt: new Date(),
        activatedAt: new Date(),
        data: {
          number: sealNumber(secretBox, { _id, accountId }, number),
          country: 'US',
          masked: `···· ${number.slice(-2)}`,
        },
      };
    }),
  );
}

await onGround(run);
process.exit(0);
