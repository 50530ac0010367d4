import { type Challenge, type Factor, type FactorDeps, inSeconds } from '../../src/factors/contract.js';
import { CODE_TTL_SECONDS, hashCode, makeCode, readCode } from './code.js';
import { isHeld, newest, openNumber, type Phone, type SmsData } from './data.js';
import type { Sender } from './sender.js';
import { showMessage } from './shown.js';
import type { Texts } from './texts.js';

/** What is remembered of the code that was sent in one sign-in. */
interface Sent {
  messageId: string;
  hash: string;
  expiresAt: Date;
}

const sentIn = ({ state }: Challenge): Sent | undefined =>
  typeof state.hash === 'string' ? (state as unknown as Sent) : undefined;

/** Asking for a code, and checking it: it is worth something in this sign-in, for this account and number, until the next one. */
export function createSignIn(
  deps: FactorDeps<SmsData> & { sender: Sender; texts: Texts },
): Pick<Factor, 'begin' | 'verify'> & Required<Pick<Factor, 'send' | 'obstacle'>> {
  const { clock, factors, random, secretBox, sender, texts } = deps;

  const phoneOf = async (accountId: string): Promise<Phone | undefined> =>
    newest(await factors.find(accountId, 'active'));
  const hashOf = ({ cid, accountId }: Challenge, factorId: string, code: string): string =>
    hashCode(secretBox, ['sign_in', cid, accountId, factorId], code);

  return {
    async begin(account, challenge) {
      const sent = sentIn(challenge);
      const [phone, shown] = await Promise.all([phoneOf(account.id), showMessage(deps, account.id, sent?.messageId)]);
      return {
        view: 'sms/enter',
        locals: {
          masked: phone?.data.masked ?? '',
          // Without its message it was never on its way.
          ...(sent && shown.message
            ? { isCodeRunning: true, codeExpiresAt: sent.expiresAt }
            : { isCodeRunning: false }),
          ...shown,
        },
      };
    },

    async send(account, challenge, { ip }, remember) {
      const phone = await phoneOf(account.id);
      if (!phone || isHeld(phone, clock.now())) return { status: 'refused', reason: 'not_served' };
      const code = makeCode(random);
      const ordered = await sender.order(
        {
          accountId: account.id,
          purpose: 'sign_in',
          number: openNumber(secretBox, phone),
          country: phone.data.country,
          text: texts.code('sign_in', account, code),
          ...(ip ? { ip } : {}),
        },
        (messageId) => {
          const hash = hashOf(challenge, phone._id, code);
          const sent: Sent = { messageId, hash, expiresAt: inSeconds(clock.now(), CODE_TTL_SECONDS) };
          return remember({ ...sent }, CODE_TTL_SECONDS);
        },
      );
      return ordered.status === 'refused' ? ordered : { status: 'sent' };
    },

    async verify(account, challenge, evidence) {
      const code = readCode(evidence.code);
      if (!code) return { status: 'rejected', code: 'malformed' };
      const phone = await phoneOf(account.id);
      if (!phone || isHeld(phone, clock.now())) return { status: 'rejected', code: 'not_enrolled' };
      const sent = sentIn(challenge);
      if (!sent) return { status: 'rejected', code: 'expired' };
      // Another number's code is another one: what went to a number that is not theirs any more proves nothing.
      if (sent.hash !== hashOf(challenge, phone._id, code)) return { status: 'rejected', code: 'wrong' };
      // The challenge is the evidence: the engine takes it, once.
      const used = await factors.update(
        account.id,
        phone._id,
        { state: 'active' },
        { $set: { lastUsedAt: clock.now() } },
      );
      if (!used) return { status: 'rejected', code: 'not_enrolled' };
      await sender.used(account.id, sent.messageId);
      return { status: 'verified', factorId: phone._id, level: '2fa', amr: ['sms', 'mca'] };
    },

    async obstacle(accountId) {
      const phone = await phoneOf(accountId);
      return phone && sender.obstacle(phone.data.country);
    },
  };
}
