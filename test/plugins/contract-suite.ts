import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Evidence, Step } from '../../src/factors/contract.js';
import type { Engine, EngineAccount, SignIn } from '../../src/factors/index.js';
import { secretWord } from '../factors/secret-word.js';
import { newAccount, newSignIn, origin, type TwoNodes, twoNodes } from '../factors/two-nodes.js';
import type { PluginDriver, Submitted } from './plugin-driver.js';

export type { Submitted } from './plugin-driver.js';

const MINUTE = 60;
const HOUR = 3600;

interface Person {
  account: EngineAccount;
  factorId: string;
  /** The next right answer on the entry page of this sign-in. */
  answer(signIn: SignIn, engine?: Engine): Promise<Evidence>;
  wrong(): Evidence;
}

/** What every method must hold to (architecture.md, Tests), on two nodes of one database. */
export function describeContract(driver: PluginDriver): void {
  const { method } = driver;
  const { id } = method;

  describe(`${id}: the contract of a method`, () => {
    let nodes: TwoNodes;
    let a: Engine;
    let b: Engine;

    beforeAll(async () => {
      nodes = await twoNodes(id === secretWord.id ? [secretWord] : [method, secretWord], ({ id: one }) =>
        one === id ? driver.config : undefined,
      );
      ({ a, b } = nodes);
    });
    afterAll(() => nodes.stop());
    beforeEach(() => {
      nodes.audited.length = 0;
      nodes.announced.length = 0;
      nodes.logged.length = 0;
      nodes.verifyCalls.clear();
      nodes.clock.advance(2 * HOUR);
    });

    async function withPrimary(): Promise<EngineAccount> {
      const account = newAccount();
      if (driver.kind !== 'primary') await enrolSecretWord(account);
      return account;
    }
    async function enrolSecretWord(account: EngineAccount): Promise<void> {
      const page = await a.beginEnrolment(account, secretWord.id, origin);
      await a.confirmEnrolment(account, secretWord.id, { word: String(page?.locals.word) }, origin);
    }
    const known = async (page: Step | undefined, account: EngineAccount): Promise<Step | undefined> =>
      page && { ...page, locals: { ...page.locals, ...(await driver.elsewhere?.(nodes, account, page.locals)) } };
    const submit = (engine: Engine, signIn: SignIn, evidence: Evidence): Promise<Submitted> =>
      driver.submit?.(nodes, engine, signIn, evidence) ?? engine.submit(signIn, id, evidence);
    const looks = async ({ account }: Person): Promise<number> =>
      (await driver.looks?.(nodes, account)) ?? nodes.verifyCalls.get(id) ?? 0;
    /** The page of an enrolment that is about to be confirmed. */
    async function begin(account: EngineAccount): Promise<Step | undefined> {
      const page = await a.beginEnrolment(account, id, origin);
      if (!page || !driver.firstAnswer) return known(page, account);
      const answered = await b.confirmEnrolment(account, id, driver.firstAnswer(account), origin);
      expect(answered).toEqual({ status: 'continued' });
      return known(await b.beginEnrolment(account, id, origin), account);
    }
    async function enrol(account: EngineAccount): Promise<Person> {
      const page = await begin(account);
      if (!page) throw new Error('enrolment was refused');
      const confirmed = await b.confirmEnrolment(
        account,
        id,
        driver.enrolmentEvidence(page.locals, nodes.clock.now()),
        origin,
      );
      if (confirmed.status !== 'enrolled') throw new Error(`enrolment: ${JSON.stringify(confirmed)}`);
      let nth = 0;
      return {
        account,
        factorId: confirmed.factorId,
        async answer(signIn, engine = a) {
          nodes.clock.advance(MINUTE);
          await engine.send(signIn, id);
          const entry = await known(await engine.begin(signIn, id), account);
          return driver.evidence(page.locals, entry?.locals ?? {}, nodes.clock.now(), nth++);
        },
        wrong: () => driver.wrongEvidence(page.locals, nodes.clock.now()),
      };
    }
    const enrolled = async () => enrol(await withPrimary());
    const ofMethod = async (accountId: string) =>
      (await a.forAccount(accountId)).find((entry) => entry.id === id)?.factors ?? [];
    const statuses = async (results: readonly Promise<{ status: string }>[]) => {
      const counts: Record<string, number> = {};
      for (const { status } of await Promise.all(results)) counts[status] = (counts[status] ?? 0) + 1;
      return counts;
    };
    const auditTypes = () => nodes.audited.map(({ type }) => type);

    test('a right answer is accepted, recorded and tells what was proved', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const result = await submit(b, signIn, await person.answer(signIn));
      expect(result).toMatchObject({ status: 'verified', method: id, factorId: person.factorId, level: '2fa' });
      expect((await b.find(person.account.id, person.factorId))?.lastUsedAt).toEqual(nodes.clock.now());
      expect(nodes.audited.at(-1)).toMatchObject({
        type: 'factor_verified',
        accountId: person.account.id,
        clientId: 'time-sheets',
        origin,
        details: { method: id, factorId: person.factorId, level: '2fa' },
      });
      expect(await b.levels(person.account.id)).toContain('2fa');
    });

    test('an answer works once: not again in this sign-in, not in the next, not on the other node', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const evidence = await person.answer(signIn);
      expect(await submit(a, signIn, evidence)).toMatchObject({ status: 'verified' });
      for (const [engine, again] of [
        [a, signIn],
        [b, signIn],
        [a, newSignIn(person.account)],
        [b, newSignIn(person.account)],
      ] as const) {
        await engine.begin(again, id);
        expect(await submit(engine, again, evidence)).toMatchObject({ status: 'rejected' });
      }
    });

    test('a sign-in is completed once by a method, even with a second right answer', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      expect(await submit(a, signIn, await person.answer(signIn))).toMatchObject({ status: 'verified' });
      const second = await person.answer(signIn, b);
      expect(await submit(b, signIn, second)).toMatchObject({ status: 'rejected', code: 'used' });
      expect(await b.send(signIn, id)).toBeUndefined();
    });

    test('200 times the same right answer at once, on both nodes: one is accepted', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const evidence = await person.answer(signIn);
      const counts = await statuses(Array.from({ length: 200 }, (_, n) => submit(n % 2 ? a : b, signIn, evidence)));
      expect(counts.verified).toBe(1);
    });

    test('the same right answer in 40 sign-ins at once: one is accepted at most, and one where it is bound to none', async () => {
      const person = await enrolled();
      const first = newSignIn(person.account);
      const evidence = await person.answer(first);
      const isSent = a.enrollable().some((offered) => offered.id === id && offered.sends);
      const isBound = isSent || (await a.begin(first, id))?.state !== undefined;
      const signIns = [first, ...Array.from({ length: 39 }, () => newSignIn(person.account))];
      const counts = await statuses(signIns.map((signIn, n) => submit(n % 2 ? a : b, signIn, evidence)));
      // The free attempts may all go to sign-ins that a bound answer does not belong to.
      expect(counts.verified ?? 0).toBeLessThanOrEqual(1);
      if (!isBound) expect(counts.verified).toBe(1);
    });

    test('500 wrong answers at once: no more than the free attempts reach the method', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      await a.begin(signIn, id);
      const counts = await statuses(
        Array.from({ length: 500 }, (_, n) => submit(n % 2 ? a : b, signIn, person.wrong())),
      );
      expect(counts).toEqual({ rejected: 5, throttled: 495 });
      expect(await looks(person)).toBe(5);
      expect(await b.obstacle(person.account.id, { id, factors: [] })).toMatchObject({
        status: 'throttled',
        retryAt: expect.any(Date),
      });
    });

    test('a right answer is not heard while a wait runs', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const evidence = await person.answer(signIn);
      for (let n = 0; n < 5; n++) await submit(a, signIn, person.wrong());
      const refused = await submit(b, signIn, evidence);
      expect(refused).toMatchObject({ status: 'throttled', retryAt: expect.any(Date) });
      expect(await looks(person)).toBe(5);
      expect(auditTypes()).toContain('factor_throttled');
    });

    test('success gives the free attempts back', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      for (let n = 1; n < 5; n++)
        expect(await submit(a, signIn, person.wrong())).toMatchObject({ status: 'rejected', failures: n });
      expect(await submit(a, signIn, await person.answer(signIn))).toMatchObject({ status: 'verified' });
      const next = newSignIn(person.account);
      for (let n = 0; n < 5; n++) expect(await submit(b, next, person.wrong())).toMatchObject({ status: 'rejected' });
      expect(await submit(b, next, person.wrong())).toMatchObject({ status: 'throttled' });
    });

    test('after 100 failures in a row the method is disabled, announced once, until it is enrolled anew', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      for (let n = 0; n < 100; n++) {
        nodes.clock.advance(HOUR);
        expect((await submit(a, signIn, person.wrong())).status).toBe('rejected');
      }
      nodes.clock.advance(365 * 24 * HOUR);
      expect(await submit(b, newSignIn(person.account), await person.answer(newSignIn(person.account)))).toEqual({
        status: 'throttled',
      });
      expect(await looks(person)).toBe(100);
      expect(nodes.announced.filter(({ notice }) => notice === 'factor_disabled')).toHaveLength(1);
      expect(auditTypes().filter((type) => type === 'factor_disabled')).toHaveLength(1);

      nodes.clock.advance(HOUR);
      const anew = await enrol(person.account);
      const next = newSignIn(person.account);
      expect(await submit(b, next, await anew.answer(next))).toMatchObject({ status: 'verified' });
    });

    test("another account's right answer is worth nothing", async () => {
      const [anna, ben] = [await enrolled(), await enrolled()];
      const annas = newSignIn(anna.account);
      const evidence = await anna.answer(annas);
      const bens = { ...newSignIn(ben.account), cid: annas.cid };
      expect(await submit(a, bens, evidence)).toMatchObject({ status: 'rejected' });
      expect(await submit(a, annas, evidence)).toMatchObject({ status: 'verified' });
    });

    test('an account without the factor has no page and no way in', async () => {
      const account = await withPrimary();
      const signIn = newSignIn(account);
      expect(await a.begin(signIn, id)).toBeUndefined();
      expect(await submit(a, signIn, driver.wrongEvidence({}, nodes.clock.now()))).toMatchObject({
        status: 'rejected',
        code: 'not_enrolled',
      });
    });

    test('an account that is not active is refused without a look at the answer', async () => {
      const person = await enrolled();
      const evidence = await person.answer(newSignIn(person.account));
      const account = { ...person.account, active: false };
      const signIn = newSignIn(account);
      expect(await a.begin(signIn, id)).toBeUndefined();
      expect(await submit(a, signIn, evidence)).toEqual({ status: 'rejected', code: 'account_unusable' });
      expect(await a.beginEnrolment(account, id, origin)).toBeUndefined();
      expect(await a.confirmEnrolment(account, id, evidence, origin)).toMatchObject({ code: 'account_unusable' });
      expect(nodes.verifyCalls.size).toBe(0);
    });

    test('a pending enrolment never signs in', async () => {
      const account = await withPrimary();
      const page = await begin(account);
      const signIn = newSignIn(account);
      expect(await ofMethod(account.id)).toEqual([]);
      expect(await a.begin(signIn, id)).toBeUndefined();
      const evidence = driver.evidence(page?.locals ?? {}, page?.locals ?? {}, nodes.clock.now(), 0);
      expect(await submit(a, signIn, evidence)).toMatchObject({ status: 'rejected', code: 'not_enrolled' });
    });

    test('a pending enrolment is shown again as it was, and is gone after an hour', async () => {
      const account = await withPrimary();
      const page = await begin(account);
      const pages = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? a : b).beginEnrolment(account, id, origin)),
      );
      expect(new Set(pages.map((page) => JSON.stringify(page))).size).toBe(1);
      const evidence = (now: Date) => driver.enrolmentEvidence(page?.locals ?? {}, now);
      nodes.clock.advance(HOUR);
      expect(await a.confirmEnrolment(account, id, evidence(nodes.clock.now()), origin)).toEqual({
        status: 'rejected',
        code: 'not_enrolled',
      });
      const fresh = await a.beginEnrolment(account, id, origin);
      expect(JSON.stringify(fresh)).not.toBe(JSON.stringify(pages[0]));
    });

    test('an enrolment is confirmed once, recorded and announced once', async () => {
      const account = await withPrimary();
      const page = await begin(account);
      nodes.announced.length = 0;
      const evidence = driver.enrolmentEvidence(page?.locals ?? {}, nodes.clock.now());
      const counts = await statuses(
        Array.from({ length: driver.enrolmentTries ?? 5 }, (_, n) =>
          (n % 2 ? a : b).confirmEnrolment(account, id, evidence, origin),
        ),
      );
      expect(counts.enrolled).toBe(1);
      expect(await ofMethod(account.id)).toHaveLength(1);
      expect(nodes.announced).toHaveLength(1);
      expect(nodes.announced[0]).toMatchObject({ accountId: account.id, params: { method: id } });
    });

    test('guesses at an enrolment are throttled', async () => {
      const account = await withPrimary();
      await begin(account);
      const counts = await statuses(
        Array.from({ length: 40 }, (_, n) =>
          (n % 2 ? a : b).confirmEnrolment(account, id, driver.wrongEnrolmentEvidence, origin),
        ),
      );
      expect(counts).toEqual({ rejected: 5, throttled: 35 });
    });

    test('odd evidence is refused, changes nothing and costs no attempt', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const { name, longest } = driver.field;
      const odd: unknown[] = [
        undefined,
        null,
        'text',
        42,
        [],
        [person.wrong()],
        { [name]: 123456 },
        { [name]: ['123456', '123456'] },
        { [name]: { $ne: '' } },
        { [name]: null },
        { [name]: 'x'.repeat(longest + 1) },
        { ...person.wrong(), extra: 'x' },
        { ...person.wrong(), constructor: 'x' },
        JSON.parse('{"__proto__": "x"}'),
      ];
      for (const evidence of odd) {
        expect(await a.submit(signIn, id, evidence)).toEqual({ status: 'rejected', code: 'malformed' });
        expect(await a.confirmEnrolment(person.account, id, evidence, origin)).toMatchObject({ code: 'malformed' });
      }
      expect(nodes.verifyCalls.size).toBe(0);
      for (const text of ['', ' ', '\0', '１２３', '💥'.repeat(3), '-'.repeat(6), '%00', '{"$gt":""}']) {
        expect(await a.submit(newSignIn(newAccount()), id, { [name]: text })).toMatchObject({ status: 'rejected' });
      }
      expect(await submit(b, signIn, await person.answer(signIn))).toMatchObject({ status: 'verified' });
    });

    test('an unknown method is refused', async () => {
      const { account } = await enrolled();
      expect(await a.begin(newSignIn(account), 'constructor')).toBeUndefined();
      expect(await a.submit(newSignIn(account), 'nothing', {})).toMatchObject({ code: 'not_enrolled' });
      expect(await a.beginEnrolment(account, 'nothing', origin)).toBeUndefined();
    });

    test('a removed factor is gone at once, from the list and from a sign-in that is under way', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const evidence = await person.answer(signIn);
      nodes.announced.length = 0;
      expect(await b.remove(newAccount(), person.factorId, origin)).toBe('not_found');
      expect(await b.remove(person.account, person.factorId, origin)).toBe('removed');
      expect(await b.remove(person.account, person.factorId, origin)).toBe('not_found');
      expect(await ofMethod(person.account.id)).toEqual([]);
      expect(await submit(a, signIn, evidence)).toMatchObject({ status: 'rejected', code: 'not_enrolled' });
      expect(nodes.announced.map(({ notice }) => notice)).toEqual(['factor_removed']);
    });

    test('a new one takes the place of a chosen one where there may be several, and of none elsewhere', async () => {
      const person = await enrolled();
      const { account, factorId } = person;
      const isOneOfSeveral = a.enrollable().some((one) => one.id === id && one.maximumPerAccount !== undefined);
      expect(await a.beginEnrolment(account, id, origin, 'x'.repeat(22))).toBeUndefined();
      const page = await known(await a.beginEnrolment(account, id, origin, factorId), account);
      expect(page !== undefined).toBe(isOneOfSeveral);
      const evidence = page ? driver.enrolmentEvidence(page.locals, nodes.clock.now()) : {};
      const outcome = await b.confirmEnrolment(account, id, evidence, origin, factorId);
      const now = (await ofMethod(account.id)).map((one) => one.id);
      if (isOneOfSeveral && outcome.status === 'enrolled') expect(now).toEqual([outcome.factorId]);
      else expect([isOneOfSeveral, outcome, now]).toMatchObject([false, { code: 'not_enrolled' }, [factorId]]);
    });

    test('what the person sent stands in no log and no audit event', async () => {
      const person = await enrolled();
      const signIn = newSignIn(person.account);
      const evidence = await person.answer(signIn);
      await submit(a, signIn, person.wrong());
      await submit(a, signIn, evidence);
      await submit(a, signIn, evidence);
      const written = JSON.stringify([nodes.audited, nodes.logged, nodes.announced]);
      for (const secret of [...Object.values(evidence), ...Object.values(person.wrong())])
        expect(written).not.toContain(secret);
      expect(auditTypes().filter((type) => type === 'factor_rejected')).toHaveLength(2);
    });
  });
}
