import { AppError } from '../../src/errors.js';
import type { Factor, FactorDeps, FactorRecord } from '../../src/factors/contract.js';
import {
  CODES_PER_BATCH,
  type CodeOwner,
  type HashedCode,
  hashCode,
  makeCode,
  plainContext,
  type RecoveryCodeData,
  readCode,
} from './codes.js';

const PENDING_TTL_SECONDS = 3600;
const SALT_BYTES = 16;
const LABEL = 'Recovery codes';

export function createEnrolment(deps: FactorDeps<RecoveryCodeData>): Factor['enrolment'] {
  const { factors, random, secretBox } = deps;

  const hashed = async (owner: CodeOwner, code: string): Promise<HashedCode> => {
    const salt = random.bytes(SALT_BYTES).toString('base64url');
    return { salt, hash: await hashCode(deps, owner, readCode(code) ?? '', salt), usedAt: null };
  };

  const pendingBatch = async (accountId: string, browser: string) => {
    const [pending] = await factors.find(accountId, 'pending', browser);
    return pending?.data.plain ? { pending, codes: openCodes(pending, pending.data.plain) } : undefined;
  };

  const openCodes = (batch: FactorRecord<RecoveryCodeData>, sealed: string): string[] =>
    secretBox.open(sealed, plainContext(batch)).toString().split('\n');

  const makeBatch = async (accountId: string, browser: string): Promise<void> => {
    const owner = { _id: random.token(128), accountId };
    const codes = Array.from({ length: CODES_PER_BATCH }, () => makeCode(random));
    await factors.insertPending(accountId, {
      id: owner._id,
      browser,
      label: LABEL,
      data: {
        codes: await Promise.all(codes.map((code) => hashed(owner, code))),
        plain: secretBox.seal(codes.join('\n'), plainContext(owner)),
      },
      ttlSeconds: PENDING_TTL_SECONDS,
    });
  };

  return {
    announcedAs: 'recovery_codes_created',

    async begin({ id: accountId, login, browser }) {
      if (!(await pendingBatch(accountId, browser))) await makeBatch(accountId, browser);
      const batch = await pendingBatch(accountId, browser);
      if (!batch) throw new AppError('ENROLMENT_EXPIRED', 'confirmed or expired while they were being shown');
      return { view: 'recovery_code/enrol', locals: { codes: batch.codes, createdAt: batch.pending.createdAt, login } };
    },

    async confirm({ id: accountId, browser }, evidence) {
      const code = readCode(evidence.code ?? '');
      if (!code) return { status: 'rejected', code: 'malformed' };
      const batch = await pendingBatch(accountId, browser);
      if (!batch) return { status: 'rejected', code: 'not_enrolled' };
      if (!batch.codes.some((saved) => readCode(saved) === code)) return { status: 'rejected', code: 'wrong' };

      const { _id, label } = batch.pending;
      const change = { where: { browser }, set: { 'data.plain': null }, replaces: 'all' as const };
      if ((await factors.activate(accountId, _id, change)) !== 'activated')
        return { status: 'rejected', code: 'not_enrolled' };
      return { status: 'enrolled', factorId: _id, label, level: '2fa', amr: ['otp'] };
    },
  };
}
