/** Nodes ended by SIGTERM and started again in turn, behind a balancer that asks `/readyz`, while people sign in: nobody notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { enrolAuthenticator, typePassword } from '../security/support.js';
import { Browser } from '../support/browser.js';
import { RelyingParty, type Tokens } from '../support/relying-party.js';
import type { NodeName } from './balancer.js';
import { type Cluster, startCluster } from './cluster.js';

/** `ROLLING_ROUNDS=10` for a rehearsal; in the run of every day each node has its turn once. */
const ROUNDS = Number(process.env.ROLLING_ROUNDS ?? 1);
const VISITORS = 2;
/** The balancer notices in less; see docs/operating.md. */
const DRAIN_SECONDS = 1;

let cluster: Cluster;
let rp: RelyingParty;
beforeAll(async () => {
  cluster = await startCluster({ listen: { drainSeconds: DRAIN_SECONDS } });
  cluster.balancer.to = 'ready';
  rp = new RelyingParty(cluster.issuer);
}, 60_000);
afterAll(() => cluster.stop());

/** Somebody new, with password and authenticator: a code of a known one counts once in half a minute. */
async function signInOnce(login: string): Promise<Tokens> {
  const account = await cluster.office.account(login);
  const authenticator = await enrolAuthenticator(cluster.office, account);
  const { url, verifier } = rp.request();
  const browser = new Browser(cluster.issuer);
  const entry = await typePassword(browser, url, login);
  const tokens = await rp.tokens(await browser.submit(entry, { code: authenticator.code() }), verifier);
  expect(tokens).toMatchObject({ status: 200, claims: { sub: account.id, acr: 'urn:countersign:acr:2fa' } });
  expect(await rp.silent(browser)).toBe('code');
  return tokens;
}

test(
  `${ROUNDS} rounds: no sign-in and no request fails`,
  async () => {
    const counts = { signIns: 0, refreshes: 0, userinfos: 0 };
    const failures: unknown[] = [];
    let isOver = false;
    const keepDoing = async (work: () => Promise<void>): Promise<void> => {
      while (!isOver) await work().catch((error: unknown) => failures.push(error));
    };
    let tokens = await signInOnce('first');
    const visitors = Array.from({ length: VISITORS }, (_, visitor) =>
      keepDoing(async () => {
        await signInOnce(`visitor${visitor}.${counts.signIns}`);
        counts.signIns += 1;
        await sleep(200);
      }),
    );
    const application = keepDoing(async () => {
      const userinfo = await rp.userinfo(tokens.access_token);
      await userinfo.text();
      expect(userinfo.status).toBe(200);
      counts.userinfos += 1;
      const refreshed = await rp.refresh(tokens.refresh_token ?? '');
      expect(refreshed).toMatchObject({ status: 200 });
      tokens = refreshed;
      counts.refreshes += 1;
      await sleep(50);
    });

    const restart = async (name: NodeName): Promise<void> => {
      cluster.nodes[name].process.kill('SIGTERM');
      expect(await cluster.nodes[name].exited).toBe(0);
      await cluster.revive(name);
      const { answeredBy } = cluster.balancer;
      const before = answeredBy.length;
      while (!answeredBy.includes(name, before)) await sleep(20);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      await restart('a');
      await restart('b');
    }
    isOver = true;
    await Promise.all([...visitors, application]);
    if (process.env.ROLLING_ROUNDS) console.log(counts);
    expect(failures).toEqual([]);
    expect(counts.signIns).toBeGreaterThan(ROUNDS * VISITORS);
  },
  60_000 + ROUNDS * 30_000,
);
