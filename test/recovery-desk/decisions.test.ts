/** Requests and what is decided on them, on two nodes of one database. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import type { Decided, RecoveryDesk } from '../../src/recovery-desk/index.js';
import { enrolAuthenticator, makeRecoveryCodes } from '../security/support.js';
import { startApp, type TestApp } from '../support/app.js';
import { FakeClock } from '../support/clock.js';
import { approve, BEN, fileRequest, newRequest, OLGA, ORIGIN } from './support.js';

const clock = new FakeClock();
let app: TestApp;
let second: TestApp;
let desk: RecoveryDesk;
let anna: Account;
let count = 0;

beforeAll(async () => {
  app = await startApp({}, { clock });
  second = await startApp({}, { clock, database: app.database });
  desk = app.app.desk;
});
afterAll(async () => {
  await second.stop();
  await app.stop();
});
beforeEach(async () => {
  clock.advance(7200);
  count += 1;
  anna = await app.account(`anna${count}@example.com`);
});

const stored = async (name: string, accountId: string) =>
  app.database.collection(name).find({ accountId }).sort({ createdAt: 1 }).toArray();
const audited = async (type: string) =>
  (await app.app.audit.list({ accountId: anna.id, types: [type as never] }, { limit: 200 })).length;
const announced = async (): Promise<number> =>
  app.database.collection('outbox').countDocuments({ accountId: anna.id, kind: 'announcement' });

describe('filing', () => {
  test('a request has a number that only its own browser can read, and is sealed where people typed', async () => {
    const filed = await desk.file(anna, newRequest('b1', { contact: '+49 30 901820', note: 'left it on the train' }));
    if (filed.status !== 'filed') throw new Error(filed.status);
    expect(filed.request.number).toMatch(/^[2-9A-HJ-NP-Z]{3} [2-9A-HJ-NP-Z]{3}$/);
    const [document] = await stored('recovery_requests', anna.id);
    const raw = JSON.stringify([document, await stored('audit_events', anna.id)]);
    for (const secret of [filed.request.number, filed.request.number.replace(' ', ''), '901820', 'train'])
      expect(raw).not.toContain(secret);
    const found = await desk.findRequest(filed.request.id);
    expect(found).toMatchObject({ contact: '+49 30 901820', note: 'left it on the train', state: 'open' });
    expect(found).not.toHaveProperty('number');
    expect((await desk.ofBrowser(anna.id, 'b1'))?.number).toBe(filed.request.number);
    expect(await desk.ofBrowser(anna.id, 'b2')).toBeUndefined();
  });

  test('one per browser, three per account, however many come at once and wherever', async () => {
    const desks = [desk, second.app.desk];
    const all = await Promise.all(
      Array.from(
        { length: 24 },
        (_, n) => desks[n % 2]?.file(anna, newRequest(`b${n % 6}`)) as ReturnType<RecoveryDesk['file']>,
      ),
    );
    const statuses = all.map(({ status }) => status);
    expect(statuses.filter((status) => status === 'filed')).toHaveLength(3);
    const documents = await stored('recovery_requests', anna.id);
    expect(documents).toHaveLength(3);
    expect(new Set(documents.map(({ browserHash }) => browserHash)).size).toBe(3);
    expect(new Set(documents.map(({ slot }) => slot))).toEqual(new Set([0, 1, 2]));
    expect(await audited('recovery_request_filed')).toBe(3);
    expect(await announced()).toBe(3);
  });

  test('after a decline the browser waits a quarter of an hour, others do not', async () => {
    const request = await fileRequest(app, anna, 'b1');
    await desk.decide(request.id, { outcome: 'declined', reason: 'Please call us.' }, OLGA);
    const wait = await desk.file(anna, newRequest('b1'));
    expect(wait).toMatchObject({ status: 'wait', retryAt: new Date(clock.now().getTime() + 900_000) });
    expect((await desk.file(anna, newRequest('b2'))).status).toBe('filed');
    clock.advance(901);
    expect((await desk.file(anna, newRequest('b1'))).status).toBe('filed');
  });

  test('a day later it has expired, whether anybody wrote that down or not', async () => {
    const request = await fileRequest(app, anna, 'b1');
    clock.advance(86_400);
    expect((await desk.ofBrowser(anna.id, 'b1'))?.state).toBe('expired');
    expect((await approve(app, request)).status).toBe('conflict');
    expect(await desk.withdraw(request.id, 'b1', ORIGIN)).toBe(false);
    await Promise.all([desk.sweep(), second.app.desk.sweep()]);
    expect(await audited('recovery_request_expired')).toBe(1);
    expect((await desk.file(anna, newRequest('b1'))).status).toBe('filed');
  });

  test("one that has expired is in nobody's way", async () => {
    for (const browser of ['b1', 'b2', 'b3']) await fileRequest(app, anna, browser);
    expect((await desk.file(anna, newRequest('b4'))).status).toBe('full');
    clock.advance(86_400);
    expect((await desk.file(anna, newRequest('b1'))).status).toBe('filed');
    expect((await desk.file(anna, newRequest('b4'))).status).toBe('filed');
  });

  test('withdrawn by its own browser alone', async () => {
    const request = await fileRequest(app, anna, 'b1');
    expect(await desk.withdraw(request.id, 'b2', ORIGIN)).toBe(false);
    const both = await Promise.all([
      desk.withdraw(request.id, 'b1', ORIGIN),
      second.app.desk.withdraw(request.id, 'b1', ORIGIN),
    ]);
    expect(both.filter(Boolean)).toHaveLength(1);
    expect(await audited('recovery_request_withdrawn')).toBe(1);
  });
});

describe('deciding', () => {
  test('approve and decline at the same moment on two nodes: one wins, the other hears who', async () => {
    const outcomes: Decided[][] = [];
    for (let round = 0; round < 10; round += 1) {
      const account = await app.account(`round${count}-${round}@example.com`);
      const request = await fileRequest(app, account, `r${round}`);
      const decide = { outcome: 'declined', reason: 'no' } as const;
      const work = [() => approve(app, request, OLGA), () => second.app.desk.decide(request.id, decide, BEN)];
      outcomes.push(await Promise.all((round % 2 ? work : work.reverse()).map((one) => one())));
      const rows = { accountId: account.id, kind: 'announcement' };
      const suspensions = await stored('suspensions', account.id);
      const state = (await desk.findRequest(request.id))?.state;
      expect(suspensions).toHaveLength(state === 'approved' ? 1 : 0);
      // Filed; and declined, or approved and its suspension.
      expect(await app.database.collection('outbox').countDocuments(rows)).toBe(state === 'approved' ? 3 : 2);
    }
    for (const pair of outcomes) {
      expect(pair.map(({ status }) => status).sort()).toEqual(['conflict', 'decided']);
      const winner = pair.find(({ status }) => status === 'decided');
      const loser = pair.find(({ status }) => status === 'conflict');
      if (winner?.status !== 'decided' || loser?.status !== 'conflict') throw new Error('not one of each');
      expect(loser.request.decision).toMatchObject({ by: winner.request.decision?.by, outcome: winner.request.state });
    }
  }, 60_000);

  test('the number selects: a thief who filed first is not let in', async () => {
    const thief = await fileRequest(app, anna, 'thief');
    const employee = await fileRequest(app, anna, 'employee');
    expect(employee.hasRival).toBe(true);
    // The administrator opened the first one, and types what the employee reads out.
    const wrong = await approve(app, { ...thief, number: employee.number });
    expect(wrong).toEqual({ status: 'wrong_number', matches: employee.id });
    expect((await approve(app, employee)).status).toBe('decided');
    const standing = (await app.app.accounts.find(anna.id))?.standing?.suspension;
    expect(standing?.clearedBrowsers).toEqual([{ hash: 'employee', by: 'request' }]);
    expect((await desk.ofBrowser(anna.id, 'thief'))?.state).toBe('superseded');
    expect((await approve(app, thief)).status).toBe('conflict');
  });

  test.each(['', 'K7P', 'OOO OOO', '222 222', 'not a number at all'])(
    'a number such as "%s" approves nothing',
    async (number) => {
      const request = await fileRequest(app, anna, 'b1');
      expect(await approve(app, { ...request, number })).toEqual({ status: 'wrong_number' });
      expect((await desk.findRequest(request.id))?.state).toBe('open');
      expect(await stored('suspensions', anna.id)).toEqual([]);
    },
  );

  test('as the employee reads it out: case, spaces and hyphens do not matter', async () => {
    const request = await fileRequest(app, anna, 'b1');
    const number = ` ${request.number.toLowerCase().replace(' ', ' - ')} `;
    expect((await approve(app, { ...request, number })).status).toBe('decided');
  });

  test('nobody decides their own', async () => {
    const request = await fileRequest(app, anna, 'b1');
    expect((await approve(app, request, { type: 'account', id: anna.id })).status).toBe('own_request');
    expect((await desk.findRequest(request.id))?.state).toBe('open');
  });

  test('a suspension runs already: nothing of the decision stays', async () => {
    await desk.start(anna, { hours: 24 }, BEN);
    const request = await fileRequest(app, anna, 'b1');
    const before = await announced();
    expect(await approve(app, request)).toMatchObject({
      status: 'suspension_running',
      suspension: { startedBy: 'ben' },
    });
    expect((await desk.findRequest(request.id))?.state).toBe('open');
    expect(await announced()).toBe(before);
    expect(await audited('recovery_request_approved')).toBe(0);
  });

  test('started without a request: whoever waits is told, and is not let in by it', async () => {
    const request = await fileRequest(app, anna, 'b1');
    await desk.start(anna, { hours: 24 }, OLGA);
    expect((await desk.ofBrowser(anna.id, 'b1'))?.state).toBe('superseded');
    expect((await app.app.accounts.find(anna.id))?.standing?.suspension?.clearedBrowsers).toEqual([]);
    expect((await approve(app, request)).status).toBe('conflict');
  });

  test('two start a suspension at once: one does', async () => {
    const both = await Promise.all([
      desk.start(anna, { hours: 24 }, OLGA),
      second.app.desk.start(anna, { hours: 48 }, BEN),
      desk.start(anna, { hours: 24 }, BEN),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['running', 'running', 'started']);
    expect(await stored('suspensions', anna.id)).toHaveLength(1);
  });

  test('ended once', async () => {
    const { suspension } = await desk.start(anna, { hours: 24 }, OLGA);
    const both = await Promise.all([desk.end(suspension.id, OLGA), second.app.desk.end(suspension.id, BEN)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['conflict', 'ended']);
    expect(await audited('suspension_ended')).toBe(1);
    expect((await desk.end('nothing', OLGA)).status).toBe('not_found');
  });

  test('a length that is not configured is refused and changes nothing', async () => {
    await expect(desk.start(anna, { hours: 72 }, OLGA)).rejects.toThrow(RangeError);
    expect((await app.app.accounts.find(anna.id))?.standing?.suspension).toBeUndefined();
  });

  test('an approval without a length, or without saying how it was verified, is none', async () => {
    const request = await fileRequest(app, anna, 'b1');
    const approval = { outcome: 'approved', requestNumber: request.number } as const;
    await expect(desk.decide(request.id, { ...approval, verifiedBy: 'video' }, OLGA)).rejects.toThrow(RangeError);
    await expect(desk.decide(request.id, { ...approval, hours: 24 }, OLGA)).rejects.toThrow(RangeError);
    expect((await desk.findRequest(request.id))?.state).toBe('open');
  });

  test('devices that were ticked are gone with the decision; those of others are not touched', async () => {
    const phone = await enrolAuthenticator(app, anna, () => clock.now());
    await makeRecoveryCodes(app, anna);
    const ben = await app.account(`ben${count}@example.com`);
    const his = await enrolAuthenticator(app, ben, () => clock.now());
    const request = await fileRequest(app, anna, 'b1');
    const decided = await desk.decide(
      request.id,
      {
        outcome: 'approved',
        requestNumber: request.number,
        hours: 48,
        verifiedBy: 'video',
        revokeFactorIds: [phone.factorId, his.factorId, 'nothing'],
      },
      OLGA,
    );
    expect(decided).toMatchObject({ status: 'decided', request: { decision: { revokedFactorIds: [phone.factorId] } } });
    expect(await app.app.engine.find(anna.id, phone.factorId)).toBeUndefined();
    expect(await app.app.engine.find(ben.id, his.factorId)).toBeDefined();
    expect(await audited('factor_revoked')).toBe(1);
  });
});

describe('passes', () => {
  test('one lies ready at a time, works once, and is revoked for good', async () => {
    const first = await desk.issueAccessPass(anna, 3600, OLGA);
    const { pass, accessPass } = await desk.issueAccessPass(anna, 3600, OLGA);
    const redeem = (what: string) => desk.redeemAccessPass(anna, what, ORIGIN);
    expect((await redeem(first.pass)).status).toBe('rejected');
    expect(await desk.hasAccessPass(anna.id)).toBe(true);
    const three = await Promise.all([redeem(pass), second.app.desk.redeemAccessPass(anna, pass, ORIGIN), redeem(pass)]);
    expect(three.filter(({ status }) => status === 'accepted')).toHaveLength(1);
    expect(await desk.hasAccessPass(anna.id)).toBe(false);
    expect(await desk.revokeAccessPass(anna.id, accessPass.id, OLGA)).toBe(false);
    const next = await desk.issueAccessPass(anna, 3600, OLGA);
    expect(await desk.revokeAccessPass(anna.id, next.accessPass.id, OLGA)).toBe(true);
    clock.advance(3600);
    expect((await redeem(next.pass)).status).toBe('rejected');
  });

  test('it ends by time, and belongs to one account', async () => {
    const { pass } = await desk.issueAccessPass(anna, 3600, OLGA);
    const ben = await app.account(`ben${count}@example.com`);
    expect((await desk.redeemAccessPass(ben, pass, ORIGIN)).status).toBe('rejected');
    clock.advance(3600);
    expect((await desk.redeemAccessPass(anna, pass, ORIGIN)).status).toBe('rejected');
  });
});

describe('owners', () => {
  test('two owners take the role from each other at once: one is left', async () => {
    const { accounts } = app.app;
    for (let round = 0; round < 10; round += 1) {
      await app.database.collection('accounts').updateMany({ roles: 'owner' }, { $unset: { roles: '' } });
      const pair = [await app.account(`o1-${count}-${round}`), await app.account(`o2-${count}-${round}`)] as const;
      for (const { id } of pair) await accounts.grantRole(id, 'owner');
      const outcomes = await Promise.all([
        accounts.revokeRole(pair[0].id, 'owner'),
        second.app.accounts.revokeRole(pair[1].id, 'owner'),
      ]);
      expect(outcomes.sort()).toEqual(['last_owner', 'revoked']);
    }
  });
});

test('"it was not me" ends the suspension and closes what is open', async () => {
  await desk.start(anna, { hours: 24 }, OLGA);
  await fileRequest(app, anna, 'b1');
  await desk.notMe(anna.id, ORIGIN);
  expect((await desk.ofBrowser(anna.id, 'b1'))?.state).toBe('withdrawn');
  const { items } = await desk.listSuspensions({ accountId: anna.id }, { limit: 1 });
  expect(items[0]).toMatchObject({ isRunning: false, end: 'not_me' });
  expect(await audited('not_me_reported')).toBe(1);
});
