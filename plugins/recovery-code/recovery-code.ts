import { z } from 'zod';
import {
  type Factor,
  type FactorMethod,
  type FactorRecord,
  sealedInFactors,
  summaryOf,
} from '../../src/factors/contract.js';
import { hashCode, plainContext, type RecoveryCodeData, readCode } from './codes.js';
import { createEnrolment } from './enrolment.js';

type Batch = FactorRecord<RecoveryCodeData>;

const METHOD = 'recovery_code';
const configuration = z.strictObject({}).prefault({});

const unused = ({ data }: Batch): number => data.codes.filter(({ usedAt }) => usedAt === null).length;

/** A new batch kills the old: an older one still there is one whose removal did not come about. */
const newest = (records: readonly Batch[]): Batch | undefined => records.at(-1);

export const recoveryCode: FactorMethod<z.output<typeof configuration>, RecoveryCodeData> = {
  id: METHOD,
  parseConfig: (raw) => configuration.parse(raw),
  sealed: [
    sealedInFactors<RecoveryCodeData>(METHOD, (batch) => [
      { path: 'data.plain', sealed: batch.data.plain, context: plainContext(batch) },
    ]),
  ],
  create(_config, deps): Factor<RecoveryCodeData> {
    const { clock, factors } = deps;
    return {
      method: METHOD,
      kind: 'reserve',
      inSetUp: 'required',
      evidenceFields: { code: 64 },
      enrolmentFields: { code: 64 },
      enrolment: createEnrolment(deps),

      summarise(records) {
        const batch = newest(records);
        const left = batch ? unused(batch) : 0;
        return batch && left > 0 ? [summaryOf(batch, { left })] : [];
      },

      begin: async () => ({ view: 'recovery_code/enter', locals: {} }),

      async verify(account, _challenge, evidence) {
        const code = readCode(evidence.code ?? '');
        if (!code) return { status: 'rejected', code: 'malformed' };
        const batch = newest(await factors.find(account.id, 'active'));
        if (!batch) return { status: 'rejected', code: 'not_enrolled' };

        // Used codes are derived too: the time then says nothing about how many are left.
        const hashes = await Promise.all(batch.data.codes.map(({ salt }) => hashCode(deps, batch, code, salt)));
        const match = batch.data.codes.find(({ hash }, position) => hash === hashes[position]);
        if (!match) return { status: 'rejected', code: 'wrong' };

        const now = clock.now();
        // Without $elemMatch a used code would match again through an unused neighbour.
        const consumed = await factors.update(
          account.id,
          batch._id,
          { state: 'active', 'data.codes': { $elemMatch: { hash: match.hash, usedAt: null } } },
          { $set: { 'data.codes.$.usedAt': now, lastUsedAt: now } },
        );
        if (!consumed) return { status: 'rejected', code: 'used' };
        return {
          status: 'verified',
          factorId: batch._id,
          level: '2fa',
          amr: ['otp'],
          notices: [{ notice: 'recovery_code_used', params: { left: unused(consumed) } }],
        };
      },

      async remove(accountId, factorId) {
        // Removing the newest alone would bring back an older one whose removal did not come about.
        const batches = await factors.find(accountId, 'active');
        if (!batches.some(({ _id }) => _id === factorId)) return false;
        for (const { _id } of batches) if (_id !== factorId) await factors.remove(accountId, _id);
        return factors.remove(accountId, factorId);
      },
    };
  },
};
