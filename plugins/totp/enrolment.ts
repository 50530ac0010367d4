import { AppError } from '../../src/errors.js';
import { type Factor, type FactorDeps, normaliseLabel, qrSvg, unusedLabel } from '../../src/factors/contract.js';
import { secretContext, type TotpData } from './data.js';
import {
  ALGORITHM,
  DIGITS,
  matchingStep,
  otpauthUri,
  PERIOD_SECONDS,
  readCode,
  SECRET_BYTES,
  toBase32,
} from './one-time-code.js';

const PENDING_TTL_SECONDS = 3600;
export const DEFAULT_LABEL = 'Authenticator';

export function createEnrolment(
  { clock, factors, issuerName, random, secretBox }: FactorDeps<TotpData>,
  maximumPerAccount: number,
): Factor['enrolment'] {
  return {
    announcedAs: 'factor_enrolled',

    async begin({ id: accountId, login, browser }) {
      const id = random.token(128);
      await factors.insertPending(accountId, {
        id,
        browser,
        label: DEFAULT_LABEL,
        data: {
          secret: secretBox.seal(random.bytes(SECRET_BYTES), secretContext({ _id: id, accountId })),
          lastStep: -1,
        },
        ttlSeconds: PENDING_TTL_SECONDS,
      });
      const [pending] = await factors.find(accountId, 'pending', browser);
      if (!pending) throw new AppError('ENROLMENT_EXPIRED', 'confirmed or expired while it was being shown');
      const secret = secretBox.open(pending.data.secret, secretContext(pending));
      const uri = otpauthUri(issuerName, login, secret);
      return {
        view: 'totp/enrol',
        locals: {
          qrSvg: qrSvg(uri),
          secretGroups: toBase32(secret).match(/.{1,4}/g) ?? [],
          otpauthUri: uri,
          issuer: issuerName,
          login,
          algorithm: ALGORITHM,
          digits: DIGITS,
          periodSeconds: PERIOD_SECONDS,
        },
      };
    },

    async confirm({ id: accountId, browser, replaces }, evidence) {
      const code = readCode(evidence.code ?? '');
      if (!code) return { status: 'rejected', code: 'malformed' };
      const [pending] = await factors.find(accountId, 'pending', browser);
      // Only one can be pending, so that none becomes active between this count and the activation below.
      const others = (await factors.find(accountId, 'active')).filter(({ _id }) => _id !== replaces?.id);
      if (!pending || others.length >= maximumPerAccount) return { status: 'rejected', code: 'not_enrolled' };

      const now = clock.now();
      const secret = secretBox.open(pending.data.secret, secretContext(pending));
      const step = await matchingStep(secret, code, Math.floor(now.getTime() / 1000));
      if (step === undefined) return { status: 'rejected', code: 'wrong' };

      const label = normaliseLabel(evidence.label ?? '') ?? unusedLabel(DEFAULT_LABEL, others);
      const activation = await factors.activate(accountId, pending._id, {
        where: { browser },
        set: { label, 'data.lastStep': step },
        replaces,
      });
      if (activation !== 'activated') return { status: 'rejected', code: 'not_enrolled' };
      return { status: 'enrolled', factorId: pending._id, label, level: '2fa', amr: ['otp'] };
    },
  };
}
