import { type Factor, type FactorMethod, summaryOf } from '../../src/factors/contract.js';

type SecretWordData = { word: string; answered: string[] };

/**
 * A method with a challenge of its own, as SMS has one: `begin` makes a question, the answer is the question and the word that was
 * enrolled. `wait` stands for a phone that has not answered yet.
 */
export const secretWord: FactorMethod<undefined, SecretWordData> = {
  id: 'secret_word',
  parseConfig: () => undefined,
  create(_config, { clock, factors, random }): Factor<SecretWordData> {
    return {
      method: 'secret_word',
      kind: 'primary',
      evidenceFields: { answer: 80 },
      enrolmentFields: { word: 40 },
      summarise: (records) => records.map((record) => summaryOf(record)),
      enrolment: {
        announcedAs: 'factor_enrolled',
        async begin({ id }) {
          const data = { word: random.token(64), answered: [] };
          await factors.insertPending(id, { label: 'Word', data, ttlSeconds: 3600 });
          const [pending] = await factors.find(id, 'pending');
          return { view: 'secret_word/enrol', locals: { word: pending?.data.word } };
        },
        async confirm({ id }, evidence) {
          const [pending] = await factors.find(id, 'pending');
          if (!pending) return { status: 'rejected', code: 'not_enrolled' };
          if (pending.data.word !== evidence.word) return { status: 'rejected', code: 'wrong' };
          if ((await factors.activate(id, pending._id)) !== 'activated')
            return { status: 'rejected', code: 'not_enrolled' };
          return { status: 'enrolled', factorId: pending._id, label: pending.label, level: '2fa', amr: ['kba'] };
        },
      },
      async begin(_account, { state }) {
        const question = typeof state.question === 'string' ? state.question : random.token(64);
        return { view: 'secret_word/enter', state: { question }, locals: { question } };
      },
      async verify({ id }, { state }, evidence) {
        const active = await factors.find(id, 'active');
        if (active.length === 0) return { status: 'rejected', code: 'not_enrolled' };
        const { question } = state;
        if (typeof question !== 'string') return { status: 'rejected', code: 'expired' };
        if (evidence.answer === 'wait') return { status: 'pending' };
        const answered = active.find(({ data }) => evidence.answer === `${question} ${data.word}`);
        if (!answered) return { status: 'rejected', code: 'wrong' };
        const consumed = await factors.update(
          id,
          answered._id,
          { 'data.answered': { $ne: question } },
          { $push: { 'data.answered': question }, $set: { lastUsedAt: clock.now() } },
        );
        if (!consumed) return { status: 'rejected', code: 'used' };
        return { status: 'verified', factorId: answered._id, level: '2fa', amr: ['kba'] };
      },
      remove: (accountId, factorId) => factors.remove(accountId, factorId),
    };
  },
};
