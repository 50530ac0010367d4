import { sms } from '../../plugins/sms/index.js';
import type { EngineAccount } from '../../src/factors/index.js';
import type { TwoNodes } from '../factors/two-nodes.js';
import { describeContract } from './contract-suite.js';

/** A number of its own for each account, from a range that no carrier gives out. */
const numberOf = ({ id }: EngineAccount): string => {
  const digits = Number.parseInt(id.slice(0, 8), 16);
  return `+1${['212', '202', '312', '415', '617'][digits % 5]}${200 + (digits % 799)}${String(1000 + (digits % 8999))}`;
};

const lastCode = async ({ database }: TwoNodes, account: EngineAccount): Promise<string> => {
  const texts = database.collection<{ _id: string; to: string; text: string }>('sms_outbox');
  const [last] = await texts
    .find({ to: numberOf(account) })
    .sort({ $natural: -1 })
    .limit(1)
    .toArray();
  return /\b(\d{6})\b/.exec(last?.text ?? '')?.[1] ?? '';
};

describeContract({
  method: sms,
  kind: 'fallback',
  config: {
    homeCountry: 'US',
    limits: { perNumber: { perHour: 50, perDay: 500 }, perAccount: { perHour: 50, perDay: 500 } },
    providers: [{ name: 'development', type: 'outbox' }],
  },
  firstAnswer: (account) => ({ country: 'US', number: numberOf(account) }),
  elsewhere: async (nodes, account) => ({ sent: await lastCode(nodes, account) }),
  enrolmentEvidence: ({ sent }) => ({ code: String(sent) }),
  wrongEnrolmentEvidence: { code: '000000' },
  evidence: (_enrolment, { sent }) => ({ code: String(sent) }),
  wrongEvidence: () => ({ code: '000000' }),
  field: { name: 'code', longest: 64 },
});
