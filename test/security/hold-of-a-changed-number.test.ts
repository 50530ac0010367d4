/** Prevents: the day in which a number that took another one's place is not accepted being cut short. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { enrolPhone, personWithPhone, startTexting, type Texting } from '../sms/support.js';
import { FakeClock } from '../support/clock.js';

const HOUR = 3600;
const ORIGIN = { requestId: 'test', browser: 'browser-of-the-test' };

let texting: Texting;
let account: Account;
let old: string;
let fresh: string;
let people = 0;
const clock = new FakeClock(new Date('2046-03-02T09:00:00Z'));
beforeAll(async () => {
  texting = await startTexting({}, { clock });
});
afterAll(() => texting.stop());

const phone = async () =>
  (await texting.app.app.engine.forAccount(account.id)).find((method) => method.id === 'sms')?.factors[0];
const remove = async (): Promise<void> => {
  expect(await texting.app.app.engine.remove(account, (await phone())?.id ?? '', ORIGIN)).toBe('removed');
};
const enrol = async (number: string) => {
  clock.advance(HOUR);
  await enrolPhone(texting, account, number);
  return phone();
};
const inADay = (): Date => new Date(clock.now().getTime() + 24 * HOUR * 1000);

/** Somebody whose number was changed an hour ago. */
beforeEach(async () => {
  people += 1;
  clock.advance(25 * HOUR);
  [old, fresh] = [`+121255501${people}0`, `+121255501${people}1`];
  account = await personWithPhone(texting, `person${people}`, old);
  expect(await enrol(fresh)).toMatchObject({ usableFrom: inADay() });
});

test('confirming the new number once more does not make it the old one', async () => {
  const ends = (await phone())?.usableFrom;
  expect(await enrol(fresh)).toMatchObject({ usableFrom: ends });
});

test('nor does removing it and adding it again', async () => {
  await remove();
  expect(await enrol(fresh)).toMatchObject({ usableFrom: inADay() });
});

test('nor does a third number in between', async () => {
  await enrol('+12125550191');
  expect(await enrol(fresh)).toMatchObject({ usableFrom: inADay() });
});

test('removed just before its day ends, it leaves nobody in its place at once', async () => {
  clock.advance(22 * HOUR);
  await remove();
  clock.advance(2 * HOUR);
  expect(await enrol('+12125550192')).toMatchObject({ usableFrom: inADay() });
});

test('the number that was accepted before is accepted at once', async () => {
  expect(await enrol(old)).not.toHaveProperty('usableFrom');
});

test('once its day is over, it is the one that the next takes the place of', async () => {
  clock.advance(24 * HOUR);
  expect(await enrol(fresh)).not.toHaveProperty('usableFrom');
  await remove();
  expect(await enrol(fresh)).not.toHaveProperty('usableFrom');
  expect(await enrol(old)).toMatchObject({ usableFrom: inADay() });
});
