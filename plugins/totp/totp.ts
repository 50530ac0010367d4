import { z } from 'zod';
import {
  type Factor,
  type FactorMethod,
  type FactorRecord,
  LABEL_MAX_LENGTH,
  sealedInFactors,
  summaryOf,
} from '../../src/factors/contract.js';
import { secretContext, type TotpData } from './data.js';
import { createEnrolment, DEFAULT_LABEL } from './enrolment.js';
import { matchingStep, readCode, readOtpauthUri } from './one-time-code.js';

const METHOD = 'totp';
/** Phones included. Also how many are tried under one attempt: each one more raises the chance of a guess. */
const MAXIMUM_PER_ACCOUNT = 5;

/**
 * What a code is compared with. A phone that is paired beside five authenticators makes more than that: phones are always tried, as
 * nobody could tell why their codes do not work; of authenticators those used last.
 */
function tried(active: readonly FactorRecord<TotpData>[]): FactorRecord<TotpData>[] {
  const phones = active.filter(({ companionOf }) => companionOf);
  const usedAt = ({ lastUsedAt, activatedAt, createdAt }: FactorRecord<TotpData>) =>
    (lastUsedAt ?? activatedAt ?? createdAt).getTime();
  const authenticators = active
    .filter(({ companionOf }) => !companionOf)
    .sort((one, other) => usedAt(other) - usedAt(one));
  return [...phones, ...authenticators].slice(0, MAXIMUM_PER_ACCOUNT);
}

const configuration = z.strictObject({}).prefault({});

export const totp: FactorMethod<z.output<typeof configuration>, TotpData> = {
  id: METHOD,
  parseConfig: (raw) => configuration.parse(raw),
  sealed: [
    sealedInFactors<TotpData>(METHOD, (record) => [
      { path: 'data.secret', sealed: record.data.secret, context: secretContext(record) },
    ]),
  ],
  create(_config, deps): Factor<TotpData> {
    const { clock, factors, secretBox } = deps;
    const dataOf = (accountId: string, factorId: string, secret: Uint8Array): TotpData => ({
      secret: secretBox.seal(secret, secretContext({ _id: factorId, accountId })),
      lastStep: -1,
    });
    return {
      method: METHOD,
      kind: 'primary',
      memory: 'none',
      maximumPerAccount: MAXIMUM_PER_ACCOUNT,
      evidenceFields: { code: 20 },
      enrolmentFields: { code: 20, label: LABEL_MAX_LENGTH },
      enrolment: createEnrolment(deps, MAXIMUM_PER_ACCOUNT),

      summarise: (records) => records.map((record) => summaryOf(record)),

      begin: async () => ({ view: 'totp/enter', locals: {} }),

      async verify(account, _challenge, evidence) {
        const code = readCode(evidence.code ?? '');
        if (!code) return { status: 'rejected', code: 'malformed' };
        const candidates = tried(await factors.find(account.id, 'active'));
        if (candidates.length === 0) return { status: 'rejected', code: 'not_enrolled' };

        const now = clock.now();
        const epochSeconds = Math.floor(now.getTime() / 1000);
        let isUsed = false;
        for (const candidate of candidates) {
          const secret = secretBox.open(candidate.data.secret, secretContext(candidate));
          const step = await matchingStep(secret, code, epochSeconds);
          if (step === undefined) continue;
          const claimed = await factors.update(
            account.id,
            candidate._id,
            { state: 'active', 'data.lastStep': { $lt: step } },
            { $set: { 'data.lastStep': step, lastUsedAt: now } },
          );
          if (claimed) return { status: 'verified', factorId: candidate._id, level: '2fa', amr: ['otp'] };
          isUsed = true;
        }
        return { status: 'rejected', code: isUsed ? 'used' : 'wrong' };
      },

      companionData: dataOf,

      async adopt({ accountId, factorId }, text) {
        const read = readOtpauthUri(text);
        if ('reason' in read) return { status: 'refused', reason: read.reason };
        return { status: 'adopted', data: dataOf(accountId, factorId, read.secret), label: DEFAULT_LABEL };
      },

      remove: (accountId, factorId) => factors.remove(accountId, factorId),
    };
  },
};
