import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { factorCollection } from '../../../src/factors/store.js';
import { origin, type TwoNodes } from '../../factors/two-nodes.js';
import { HERE, pairingPage, personWithPhone, twoNodesWithApp } from './pairs.js';
import { Phone, toEngine } from './phone.js';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await twoNodesWithApp();
});
beforeEach(() => {
  nodes.clock.advance(3600);
});
afterAll(() => nodes.stop());

type Person = Awaited<ReturnType<typeof personWithPhone>>;
const begin = ({ account, phone }: Person, from = HERE) => nodes.a.beginEnrolment(account, 'app', from, phone.deviceId);
const confirm = ({ account, phone }: Person, digits: string, engine = nodes.b, from = HERE) =>
  engine.confirmEnrolment(account, 'app', { digits }, from, phone.deviceId);
const stored = ({ account }: Person) =>
  factorCollection(nodes.database).find({ accountId: account.id }).sort({ _id: 1 }).toArray();
const labels = async ({ account }: Person) =>
  (await nodes.a.forAccount(account.id)).flatMap(({ factors }) => factors.map(({ label }) => label));

/** A phone that has claimed the code of the page, its digits not typed yet. */
async function comingFor(person: Person, model = 'Fairphone 6'): Promise<Phone> {
  const step = await begin(person);
  const phone = await Phone.make(toEngine(nodes.b));
  const claimed = await phone.pair({ code: String(step?.locals.pairHref).split('#')[1] }, { model });
  if (claimed.status !== 200) throw new Error(`not claimed: ${claimed.body.code}`);
  return phone;
}

describe('a phone that takes the place of another', () => {
  test('is trusted in the moment in which the old one is not any more, and its codes with it; told once', async () => {
    const person = await personWithPhone(nodes);
    const { account, phone: old } = person;
    expect((await begin(person))?.locals).toMatchObject({ stage: 'waiting', inPlaceOf: 'Pixel 9' });
    const phone = await comingFor(person);
    expect((await old.post('/device')).status).toBe(200);
    nodes.announced.length = 0;
    nodes.audited.length = 0;

    expect(await confirm(person, phone.digits())).toMatchObject({ status: 'enrolled', label: 'Fairphone 6' });
    expect(await old.post('/device')).toMatchObject({ status: 401, body: { code: 'DEVICE_REFUSED' } });
    expect((await phone.post('/device')).body).toMatchObject({ state: 'active' });
    expect((await stored(person)).map(({ method, companionOf }) => [method, companionOf?.id])).toEqual(
      expect.arrayContaining([
        ['app', undefined],
        ['totp', phone.deviceId],
      ]),
    );
    expect(await stored(person)).toHaveLength(2);
    const told = { method: 'app', label: 'Fairphone 6', replaced: 'Pixel 9' };
    const at = nodes.clock.now().toISOString();
    expect(nodes.announced).toEqual([{ accountId: account.id, notice: 'factor_replaced', params: { ...told, at } }]);
    expect(nodes.audited).toEqual([
      {
        type: 'factor_replaced',
        accountId: account.id,
        actor: { type: 'account', id: account.id },
        origin: HERE,
        details: { ...told, factorId: phone.deviceId, replacedId: old.deviceId },
      },
    ]);
  });

  test('comes also where there are three, leaves the other two, and may have the name of the old one', async () => {
    const person = await personWithPhone(nodes);
    for (const _ of [1, 2]) await personWithPhone(nodes, person.account);
    expect(await nodes.a.beginEnrolment(person.account, 'app', HERE)).toBeUndefined();
    const phone = await comingFor(person, 'Pixel 9');
    expect((await confirm(person, phone.digits())).status).toBe('enrolled');
    expect(await labels(person)).toEqual(['Pixel 9 2', 'Pixel 9 3', 'Pixel 9']);
  });

  test('comes once, however often the digits are sent, on whichever node', async () => {
    const person = await personWithPhone(nodes);
    const phone = await comingFor(person);
    const digits = phone.digits();
    const results = await Promise.all(
      Array.from({ length: 3 }, (_, n) => confirm(person, digits, n % 2 ? nodes.a : nodes.b)),
    );
    expect(results.filter(({ status }) => status === 'enrolled')).toHaveLength(1);
    expect(await labels(person)).toEqual(['Fairphone 6']);
  });

  test('of two browsers that change the same one the later has its way, and nothing comes of the other', async () => {
    const person = await personWithPhone(nodes);
    const early = await comingFor(person);
    const there = { ...HERE, browser: 'browser-2' };
    const step = await begin(person, there);
    const late = await Phone.make(toEngine(nodes.b));
    await late.pair({ code: String(step?.locals.pairHref).split('#')[1] }, { model: 'iPhone' });
    expect(await early.post('/device')).toMatchObject({ status: 401 });
    const results = await Promise.all([
      confirm(person, early.digits()),
      confirm(person, late.digits(), nodes.a, there),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'enrolled']);
    expect(await labels(person)).toEqual(['iPhone']);
  });
});

describe('nothing is changed', () => {
  test.each([
    [
      'what was removed meanwhile',
      async ({ account, phone }: Person) => void (await nodes.a.remove(account, phone.deviceId, origin)),
    ],
    [
      'what was replaced meanwhile, in another browser',
      async (person: Person) => {
        const phone = await comingFor(person, 'Faster');
        await confirm(person, phone.digits());
        await pairingPage(nodes.a, person.account);
      },
    ],
  ])('where it was to take the place of %s', async (_what, meanwhile) => {
    const person = await personWithPhone(nodes);
    await personWithPhone(nodes, person.account);
    await meanwhile(person);
    expect(await begin(person)).toBeUndefined();
    const before = await stored(person);
    expect(await confirm(person, '123456')).toMatchObject({ status: 'rejected', code: 'not_enrolled' });
    expect(await stored(person)).toEqual(before);
  });

  test('where the old one goes while the digits are on their way: both are gone, or the new one is there alone', async () => {
    for (let round = 0; round < 3; round += 1) {
      const person = await personWithPhone(nodes);
      const phone = await comingFor(person);
      const [confirmed, removed] = await Promise.all([
        confirm(person, phone.digits()),
        nodes.a.remove(person.account, person.phone.deviceId, origin),
      ]);
      const isConfirmed = confirmed.status === 'enrolled';
      expect(removed).toBe(isConfirmed ? 'not_found' : 'removed');
      expect(await labels(person)).toEqual(isConfirmed ? ['Fairphone 6'] : []);
    }
  });

  test.each([
    ['somebody else’s', async () => (await personWithPhone(nodes)).phone.deviceId],
    ['one that nobody has', async () => 'x'.repeat(22)],
    [
      'the companion of a phone',
      async ({ account, phone }: Person) =>
        (await stored({ account, phone })).find(({ companionOf }) => companionOf)?._id ?? '',
    ],
  ])('where it names %s', async (_whose, idOf) => {
    const person = await personWithPhone(nodes);
    const id = await idOf(person);
    const before = await factorCollection(nodes.database).countDocuments({});
    expect(await nodes.a.beginEnrolment(person.account, 'app', HERE, id)).toBeUndefined();
    expect(await nodes.a.beginEnrolment(person.account, 'totp', HERE, id)).toBeUndefined();
    const outcome = await nodes.a.confirmEnrolment(person.account, 'app', { digits: '123456' }, HERE, id);
    expect(outcome).toMatchObject({ status: 'rejected', code: 'not_enrolled' });
    expect(await factorCollection(nodes.database).countDocuments({})).toBe(before);
  });

  test('by wrong digits', async () => {
    const person = await personWithPhone(nodes);
    const phone = await comingFor(person);
    expect(await confirm(person, phone.wrongDigits())).toMatchObject({ status: 'rejected', code: 'wrong' });
    expect((await person.phone.post('/device')).status).toBe(200);
    expect(await labels(person)).toEqual(['Pixel 9']);
  });
});
