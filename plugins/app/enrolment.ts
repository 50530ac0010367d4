import { AppError } from '../../src/errors.js';
import {
  type Enrollee,
  type EnrolmentOutcome,
  type Factor,
  type FactorDeps,
  type FactorRecord,
  qrSvg,
  unusedLabel,
} from '../../src/factors/contract.js';
import { pairingDigits, readDigits } from './codes.js';
import { type AppData, isDevice, openFor } from './data.js';
import { PAIRING_SECONDS, PAIRING_TRIES, type Pairings } from './pairing.js';
import { isSame } from './request-auth.js';

const REJECTED = (code: 'malformed' | 'wrong' | 'not_enrolled'): EnrolmentOutcome => ({ status: 'rejected', code });

/** Trusting a phone: it scans a code from the page, and the digits that it shows are typed here. */
export function createEnrolment(
  { factors, issuer, pairings, random, secretBox }: FactorDeps<AppData> & { pairings: Pairings },
  maximumPerAccount: number,
): Factor['enrolment'] {
  const pendingOf = async ({ id, browser }: Enrollee): Promise<FactorRecord<AppData> | undefined> =>
    (await factors.find(id, 'pending', browser))[0];

  const startFor = async (enrollee: Enrollee): Promise<FactorRecord<AppData>> => {
    const id = random.token(128);
    await factors.insertPending(enrollee.id, {
      id,
      browser: enrollee.browser,
      label: '',
      data: { pairing: await pairings.make({ _id: id, accountId: enrollee.id }, enrollee.login) },
      ttlSeconds: PAIRING_SECONDS,
    });
    const pending = await pendingOf(enrollee);
    if (!pending) throw new AppError('ENROLMENT_EXPIRED', 'confirmed or expired while it was being shown');
    return pending;
  };

  return {
    announcedAs: 'factor_enrolled',

    async begin(enrollee) {
      const pending = (await pendingOf(enrollee)) ?? (await startFor(enrollee));
      const { pairing } = pending.data;
      if (!pairing) throw new AppError('ENROLMENT_EXPIRED', 'confirmed while it was being shown');
      const shared = { expiresAt: pending.expiresAt, pairingId: pending._id };
      if (isDevice(pending)) {
        const triesLeft = PAIRING_TRIES - pairing.tries;
        return { view: 'app/enrol', locals: { ...shared, stage: 'found', model: pending.data.model, triesLeft } };
      }
      const { code, typedCode } = pairings.show(pending, pairing);
      const pairHref = `${issuer}/app/pair#${code}`;
      return {
        view: 'app/enrol',
        locals: {
          ...shared,
          stage: 'waiting',
          pairHref,
          appAddress: `${issuer}/app`.replace(/^https?:\/\//, ''),
          qrSvg: qrSvg(pairHref),
          typedGroups: typedCode.match(/.{1,4}/g) ?? [],
          login: enrollee.login,
        },
      };
    },

    async confirm(enrollee, evidence) {
      const pending = await pendingOf(enrollee);
      // Only one can be pending, so that none becomes active between this count and the activation below.
      const { replaces } = enrollee;
      const others = (await factors.find(enrollee.id, 'active')).filter((phone) => phone._id !== replaces?.id);
      if (!pending || others.length >= maximumPerAccount) return REJECTED('not_enrolled');
      if (evidence.restart) {
        await pairings.end(pending);
        return { status: 'continued' };
      }
      const digits = readDigits(evidence.digits ?? '');
      if (!digits) return REJECTED('malformed');
      if (!isDevice(pending)) return REJECTED('wrong');
      const { _id, data } = pending;
      const isRight = isSame(digits, pairingDigits(_id, data.thumbprint));
      const tries = await pairings.countTry(pending, isRight);
      if (tries === undefined || !isRight) {
        if (tries !== undefined && tries < PAIRING_TRIES) return REJECTED('wrong');
        await pairings.wearOut(pending);
        return REJECTED('not_enrolled');
      }
      const label = unusedLabel(data.model, others);
      const activation = await factors.activate(enrollee.id, _id, {
        where: { browser: enrollee.browser, 'data.thumbprint': data.thumbprint },
        set: { label, 'data.pairing': null, 'data.offlineSecret': null },
        replaces,
        companion: { method: 'totp', secret: openFor(secretBox, pending, 'offline', data.offlineSecret ?? '') },
      });
      if (activation !== 'activated') return REJECTED('not_enrolled');
      return { status: 'enrolled', factorId: _id, label, level: '2fa', amr: ['swk', 'user', 'mca'] };
    },
  };
}
