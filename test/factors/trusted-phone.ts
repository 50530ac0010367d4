import { type Factor, type FactorMethod, summaryOf } from '../../src/factors/contract.js';

type PhoneData = { secret: string };

/** A method whose devices also make verification codes, as a phone with an app does. `replaces`: an account holds one. */
export const trustedPhone: FactorMethod<{ replaces: boolean }, PhoneData> = {
  id: 'trusted_phone',
  parseConfig: (raw) => ({ replaces: raw === 'replaces' }),
  create({ replaces }, { clock, factors, random }): Factor<PhoneData> {
    return {
      method: 'trusted_phone',
      kind: 'primary',
      ...(replaces ? {} : { maximumPerAccount: 3 }),
      evidenceFields: { answer: 10 },
      enrolmentFields: { holder: 40, fails: 1 },
      summarise: (records) => records.map((record) => summaryOf(record)),
      enrolment: {
        announcedAs: 'factor_enrolled',
        async begin({ id }) {
          const data = { secret: random.bytes(20).toString('hex') };
          await factors.insertPending(id, { label: 'Phone', data, ttlSeconds: 3600 });
          const [pending] = await factors.find(id, 'pending');
          return { view: 'trusted_phone/enrol', locals: { secret: pending?.data.secret } };
        },
        async confirm({ id, replaces: old }, { holder, fails }) {
          const [pending] = await factors.find(id, 'pending');
          if (!pending) return { status: 'rejected', code: 'not_enrolled' };
          const activation = await factors.activate(id, pending._id, {
            replaces: replaces ? 'all' : old,
            ...(holder ? { exclusive: holder } : {}),
            set: { label: 'Pixel' },
            companion: { method: 'totp', secret: Buffer.from(pending.data.secret, 'hex') },
            ...(fails ? { where: { 'data.secret': 'another' } } : {}),
          });
          if (activation !== 'activated') return { status: 'rejected', code: 'not_enrolled' };
          return { status: 'enrolled', factorId: pending._id, label: 'Pixel', level: '2fa', amr: ['swk'] };
        },
      },
      begin: async () => ({ view: 'trusted_phone/enter', locals: {} }),
      async verify({ id }) {
        const [phone] = await factors.find(id, 'active');
        if (!phone) return { status: 'rejected', code: 'not_enrolled' };
        await factors.update(id, phone._id, {}, { $set: { lastUsedAt: clock.now() } });
        return { status: 'verified', factorId: phone._id, level: '2fa', amr: ['swk'] };
      },
      remove: (accountId, factorId) => factors.remove(accountId, factorId),
    };
  },
};
