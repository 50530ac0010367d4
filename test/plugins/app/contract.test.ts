/** The contract of a method for one whose answers come by a phone: the page shows a number, and the person types it there. */
import { app } from '../../../plugins/app/index.js';
import { PAIRING_TRIES } from '../../../plugins/app/pairing.js';
import type { FactorMethod } from '../../../src/factors/contract.js';
import type { Engine, EngineAccount, SignIn } from '../../../src/factors/index.js';
import type { TwoNodes } from '../../factors/two-nodes.js';
import { describeContract, type Submitted } from '../contract-suite.js';
import { approveWith, type Waiting } from './approval.js';
import { Phone, toEngine } from './phone.js';

interface Question extends Waiting {
  _id: string;
  status: string;
  wrong: number;
}

/** The last phone of each account. */
const phones = new Map<string, Phone>();

/** One for all phones, asked for once in each minute. */
let fresh: { at: number; nonce: Promise<string | undefined> } | undefined;

/** The same phone, at this node: many of its requests may be under way at once. */
async function phoneAt(engine: Engine, account: EngineAccount, now: Date): Promise<Phone | undefined> {
  const phone = phones.get(account.id);
  if (!phone) return undefined;
  const there: Phone = Object.assign(Object.create(phone), { send: toEngine(engine) });
  if (fresh?.at !== now.getTime())
    fresh = { at: now.getTime(), nonce: there.post('/challenges').then(() => there.nonce) };
  return Object.assign(there, { nonce: await fresh.nonce });
}

const questions = ({ database }: TwoNodes) => database.collection<Question>('app_challenges');

/** What this sign-in asks, or has an answer to. */
async function questionOf(nodes: TwoNodes, { cid, account }: SignIn): Promise<Question | null> {
  const own = { cid, accountId: account.id };
  const now = nodes.clock.now();
  return (
    (await questions(nodes).findOne({ ...own, status: 'pending', expiresAt: { $gt: now } } as object)) ??
    (await questions(nodes).findOne({ ...own, status: { $in: ['approved', 'claimed'] } } as object))
  );
}

async function failuresOf({ database }: TwoNodes, { account }: SignIn): Promise<number> {
  const counted = await database
    .collection<{ _id: string; counters: Record<string, { count: number }> }>('attempts')
    .findOne({ _id: `account:${account.id}` });
  return counted?.counters['c_method:app']?.count ?? 0;
}

/** Whoever has the phone types the number, into the next question where this one is over; then the browser looks. */
async function submit(nodes: TwoNodes, engine: Engine, signIn: SignIn, { number = '' }: { number?: string }) {
  const look = (): Promise<Submitted> => engine.submit(signIn, 'app', {});
  const phone = await phoneAt(engine, signIn.account, nodes.clock.now());
  for (;;) {
    const question = await questionOf(nodes, signIn);
    if (!phone || (question && question.status !== 'pending')) return look();
    if (!question) {
      const asked = await engine.send(signIn, 'app');
      if (asked?.status === 'throttled') return asked;
      if (asked?.status !== 'sent') return look();
      continue;
    }
    const { status, headers } = await approveWith(phone, { ...question, id: question._id }, number);
    switch (status) {
      case 422: {
        const failures = await failuresOf(nodes, signIn);
        return { status: 'rejected', code: 'wrong', failures } satisfies Submitted;
      }
      case 429: {
        const retryAt = new Date(nodes.clock.now().getTime() + Number(headers['Retry-After']) * 1000);
        return { status: 'throttled', retryAt } satisfies Submitted;
      }
      case 409:
        continue;
      default:
        return look();
    }
  }
}

async function pair({ b }: TwoNodes, account: EngineAccount, pairHref: string): Promise<Record<string, unknown>> {
  const phone = await Phone.make(toEngine(b));
  await phone.pair({ code: pairHref.split('#')[1] });
  phones.set(account.id, phone);
  return { digits: phone.digits() };
}

describeContract({
  method: app as FactorMethod,
  kind: 'primary',
  elsewhere: async (nodes, account, { pairHref }) => (pairHref ? pair(nodes, account, String(pairHref)) : {}),
  enrolmentEvidence: ({ digits }) => ({ digits: String(digits) }),
  wrongEnrolmentEvidence: { digits: '00000x' },
  enrolmentTries: PAIRING_TRIES,
  evidence: (_enrolment, { number = '' }) => ({ number: String(number).replaceAll(' ', '') }),
  wrongEvidence: () => ({ number: '000000' }),
  field: { name: 'digits', longest: 16 },
  submit,
  async looks(nodes, account) {
    const asked = await questions(nodes)
      .find({ accountId: account.id } as object)
      .toArray();
    return asked.reduce((sum, { wrong }) => sum + wrong, 0);
  },
});
