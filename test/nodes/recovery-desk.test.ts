/** Decisions on two nodes: one wins, and what was decided is told once per channel, though the node that took it is killed. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { listStoredMails } from '../../src/notifications/index.js';
import type { OwnRequest } from '../../src/recovery-desk/index.js';
import { fileRequest } from '../recovery-desk/support.js';
import { ADMIN_APP, type Administrator, type Answer, administrator } from '../support/administrator.js';
import { RP } from '../support/app.js';
import { Receiver } from '../webhooks/receiver.js';
import { type Cluster, startCluster } from './cluster.js';

const ROUNDS = 8;
const AT_A_TIME = 4;

let cluster: Cluster;
let receiver: Receiver;
let olga: Administrator;
let hugo: Administrator;
beforeAll(async () => {
  receiver = await Receiver.start();
  cluster = await startCluster((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  olga = await administrator(cluster.office, 'olga@example.com', ['owner']);
  hugo = await administrator(cluster.office, 'hugo@example.com', ['helpdesk']);
  const events = ['recovery_request.approved', 'recovery_request.declined'] as const;
  await cluster.office.app.webhooks.create({ url: receiver.url, events });
}, 60_000);
afterAll(async () => {
  await cluster.stop();
  await receiver.stop();
});

interface Round {
  account: Account;
  request: OwnRequest;
}

async function newRound(name: string): Promise<Round> {
  const email = `${name}@example.com`;
  const account = await cluster.office.account(email, { password: null, email });
  return { account, request: await fileRequest(cluster.office, account, name) };
}

const approve = (by: Administrator, { request }: Round): Promise<Answer> =>
  by.post(`/recovery-requests/${request.id}/decision`, {
    outcome: 'approved',
    requestNumber: request.number,
    hours: 24,
    verifiedBy: 'video',
  });
const decline = (by: Administrator, { request }: Round): Promise<Answer> =>
  by.post(`/recovery-requests/${request.id}/decision`, { outcome: 'declined', reason: 'Please come by.' });

/** What was decided on an account, as each channel has heard it. */
interface Heard {
  mails: string[];
  hooks: string[];
}

const OUTCOMES: Readonly<Record<string, string>> = {
  'Your request was approved': 'approved',
  'Your request was declined': 'declined',
};

async function heardOf({ account, request }: Round): Promise<Heard> {
  const mails = await listStoredMails(cluster.office.database, 10_000);
  return {
    mails: mails
      .filter(({ to, subject }) => to === account.email && subject in OUTCOMES)
      .map(({ subject }) => OUTCOMES[subject] ?? ''),
    hooks: receiver.received
      .map(({ body }) => JSON.parse(body) as { type: string; data: { requestId: string } })
      .filter(({ data }) => data.requestId === request.id)
      .map(({ type }) => type.replace('recovery_request.', '')),
  };
}

/** Nothing is left to be told, or nothing of the kind. */
const told = (kind?: string): Promise<void> =>
  until(async () => {
    const left = { status: { $ne: 'sent' }, ...(kind ? { kind } : {}) };
    return (await cluster.office.database.collection('outbox').countDocuments(left)) === 0;
  });

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100));
}

test(`approve and decline at the same moment on two nodes, ${ROUNDS} rounds: one wins, the other hears who, everybody hears once`, async () => {
  cluster.balancer.to = 'alternate';
  const outcomes: { round: Round; won: string }[] = [];
  const play = async (n: number): Promise<void> => {
    const round = await newRound(`round-${n}`);
    const both = n % 2 ? [approve(olga, round), decline(hugo, round)] : [decline(hugo, round), approve(olga, round)];
    const [winner, loser] = (await Promise.all(both)).sort((a, b) => a.status - b.status);
    expect([winner?.status, loser?.status]).toEqual([200, 409]);
    const won = winner?.body.request.state;
    expect(loser?.body).toMatchObject({
      code: 'RECOVERY_REQUEST_DECIDED',
      winner: { outcome: won, decidedBy: (won === 'approved' ? olga : hugo).account.id },
    });
    outcomes.push({ round, won });
  };
  for (let n = 0; n < ROUNDS; n += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, more) => play(n + more)));
  }
  await told();
  const heard = await Promise.all(outcomes.map(({ round }) => heardOf(round)));
  expect(heard).toEqual(outcomes.map(({ won }) => ({ mails: [won], hooks: [won] })));
  // Each had its turn: it was a race.
  expect(new Set(outcomes.map(({ won }) => won)).size).toBe(2);
}, 120_000);

describe('a node that is killed with -9', () => {
  /** Only A is there to decide and to tell; B comes when it is dead. */
  async function killedAt(
    name: string,
    reached: (round: Round) => Promise<{ forget(): void }>,
    mails: string[] = [],
  ): Promise<void> {
    cluster.balancer.to = 'a';
    const round = await newRound(name);
    await told();
    await cluster.nodes.b.kill();
    const held = await reached(round);
    await cluster.nodes.a.kill();
    held.forget();
    expect(await heardOf(round)).toEqual({ mails, hooks: [] });
    await cluster.revive('b');
    await told();
    expect(await heardOf(round)).toEqual({ mails: ['approved'], hooks: ['approved'] });
    await cluster.revive('a');
  }

  test('between the decision and the first step of telling: the other node tells', async () => {
    await killedAt('before', async (round) => {
      // None of its workers gets to look into the outbox any more.
      const looks = cluster.gate.holdEach('findAndModify', 'outbox', 'jobs');
      await looks.reached;
      expect((await approve(olga, round)).status).toBe(200);
      return looks;
    });
  }, 60_000);

  test('in the midst of telling, with the mail sent and the webhook not: the other node goes on, and mails nobody again', async () => {
    await killedAt(
      'amidst',
      async (round) => {
        const webhook = cluster.gate.hold('insert', 'webhook_deliveries');
        const decided = approve(olga, round);
        await webhook.reached;
        expect((await decided).status).toBe(200);
        await told('mail');
        return webhook;
      },
      ['approved'],
    );
  }, 60_000);
});
