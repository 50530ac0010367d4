import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { EngineAccount, SignIn } from '../../../src/factors/index.js';
import { newSignIn, type TwoNodes } from '../../factors/two-nodes.js';
import { answerWith, approveWith, asking, stateOf, type Waiting, waitingOn } from './approval.js';
import { personWithPhone, twoNodesWithApp } from './pairs.js';
import type { Phone } from './phone.js';

let nodes: TwoNodes;
let account: EngineAccount;
let phone: Phone;
beforeAll(async () => {
  nodes = await twoNodesWithApp();
});
afterAll(() => nodes.stop());
beforeEach(async () => {
  nodes.clock.advance(7_200);
  ({ account, phone } = await personWithPhone(nodes));
  nodes.audited.length = 0;
});

const tryOut = async (one = phone) => asking(nodes.a, account, { trialOf: one.deviceId });
const only = async (one = phone): Promise<Waiting> => {
  const [waiting, ...more] = await waitingOn(one);
  if (!waiting || more.length > 0) throw new Error('not exactly one waits');
  return waiting;
};
const fetched = (signIn: SignIn) => nodes.b.submit(signIn, 'app', {});
const recorded = () => nodes.audited.map(({ type }) => type);

describe('a trial', () => {
  test('is told as one to the phone that is tried, confirmed as ever, and recorded as what it is', async () => {
    const { signIn, number } = await tryOut();
    const waiting = await only();
    expect(JSON.parse(waiting.details)).toMatchObject({ trial: true, at: nodes.clock.now().toISOString() });
    expect(await fetched(signIn)).toEqual({ status: 'pending' });
    expect((await approveWith(phone, waiting, number)).body).toMatchObject({ outcome: 'approved' });
    expect(await fetched(signIn)).toMatchObject({ status: 'verified', factorId: phone.deviceId });
    expect(recorded()).toEqual(['factor_tried']);
    expect(await fetched(signIn)).toMatchObject({ status: 'rejected', code: 'used' });
  });

  test('asks no other phone of the account, whose answers are refused', async () => {
    const { phone: other } = await personWithPhone(nodes, account);
    nodes.audited.length = 0;
    const { signIn, number } = await tryOut();
    expect(await waitingOn(other)).toEqual([]);
    const waiting = await only();
    const decisions = [{ decision: 'approve', number }, { decision: 'not_now' }, { decision: 'not_me' }];
    for (const decision of decisions)
      expect(await answerWith(other, waiting, decision)).toMatchObject({ status: 409, body: { code: 'REFUSED' } });
    expect(await stateOf(nodes.b, signIn)).toBe('waiting');
    expect(recorded()).toEqual([]);
  });

  test('and a sign-in that waits beside it confirm nothing of one another, whatever number is typed where', async () => {
    const trial = await tryOut();
    const real = await asking(nodes.b, account, newSignIn(account));
    const waiting = await waitingOn(phone);
    const first = waiting.find(({ details }) => JSON.parse(details).trial);
    const second = waiting.find(({ details }) => !JSON.parse(details).trial);
    if (!first || !second) throw new Error('two should wait');
    if (trial.number !== real.number)
      expect((await approveWith(phone, first, real.number)).body).toMatchObject({ code: 'WRONG_NUMBER' });
    await approveWith(phone, first, trial.number);
    expect(await fetched(real.signIn)).toEqual({ status: 'pending' });
    // The answer to the trial, asked for as if it were a sign-in of the same name.
    const { trialOf: _, ...asSignIn } = trial.signIn;
    expect(await fetched({ ...asSignIn, cid: real.signIn.cid })).toEqual({ status: 'pending' });
    await approveWith(phone, second, real.number);
    expect(await fetched(real.signIn)).toMatchObject({ status: 'verified' });
    expect(await fetched(trial.signIn)).toMatchObject({ status: 'verified' });
    expect(recorded().filter((type) => /verified|tried/.test(type))).toEqual(['factor_verified', 'factor_tried']);
  });

  test.each([
    ['postponed', () => ({ decision: 'not_now' })],
    ['over', (number: string) => ({ decision: 'approve', number: number === '000000' ? '000001' : '000000' })],
  ])('that ends %s leaves the phone trusted, and can be repeated', async (state, answer) => {
    const { signIn, number } = await tryOut();
    const waiting = await only();
    for (let n = 0; n < (state === 'over' ? 3 : 1); n += 1) await answerWith(phone, waiting, answer(number));
    expect(await stateOf(nodes.a, signIn)).toBe(state);
    expect(await fetched(signIn)).toMatchObject({ status: 'rejected' });
    expect((await phone.post('/device')).body).toMatchObject({ state: 'active' });
    expect(await nodes.b.send(signIn, 'app')).toEqual({ status: 'sent' });
    const next = await asking(nodes.a, account, signIn);
    await approveWith(phone, await only(), next.number);
    expect(await fetched(signIn)).toMatchObject({ status: 'verified' });
    // And once more, on another day.
    expect(await nodes.b.send(signIn, 'app')).toEqual({ status: 'sent' });
    expect(await stateOf(nodes.a, signIn)).toBe('waiting');
  });

  test('costs no attempt, and of a phone that is gone there is none', async () => {
    const { signIn } = await tryOut();
    for (let n = 0; n < 25; n += 1) await fetched(signIn);
    expect(await nodes.a.obstacle(account.id, { id: 'app', factors: [] })).toBeUndefined();
    await nodes.a.discard(account.id, phone.deviceId);
    expect(await nodes.a.begin(signIn, 'app')).toBeUndefined();
    expect(await fetched(signIn)).toMatchObject({ code: 'not_enrolled' });
  });
});
