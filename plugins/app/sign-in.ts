import {
  type Challenge,
  type Factor,
  type FactorDeps,
  type FactorRecord,
  type Outcome,
  qrSvg,
  type RejectionCode,
  type SignInPlace,
} from '../../src/factors/contract.js';
import { CHALLENGES, type ChallengeDocument, type Challenges } from './challenges.js';
import type { AppData } from './data.js';
import type { Limits } from './limits.js';
import type { Push } from './push.js';

/** How long the page can tell what became of it, before a look at it asks again. */
const SHOWN_SECONDS = 600;

/** What stands on the page; `too_many` where nobody could be asked. */
type Shown = 'waiting' | 'approved' | 'postponed' | 'denied' | 'over' | 'expired' | 'too_many';

const SHOWN: Readonly<Record<ChallengeDocument['status'], Shown>> = {
  pending: 'waiting',
  approved: 'approved',
  // Another request of this browser is signing in.
  claimed: 'approved',
  denied: 'denied',
  postponed: 'postponed',
  over: 'over',
  cancelled: 'expired',
};

/** The form of the page has no field: whoever sends it guesses nothing. Wrong numbers are counted where they are typed. */
const rejected = (code: RejectionCode): Outcome => ({ status: 'rejected', code, isNoGuess: true });

const idOf = ({ state }: Challenge): string | undefined => (typeof state.id === 'string' ? state.id : undefined);

/** Groups of three, from the right: what is read and typed. */
const grouped = (number: string): string => number.replace(/\B(?=(?:\d{3})+$)/g, ' ');

/** Letter by letter what the phone shows and signs a hash of. */
const detailsOf = ({ application, browser, ip }: SignInPlace, at: Date): string =>
  JSON.stringify({ application, browser, ip, at: at.toISOString() });

/** Asking the phones of an account, once at the first look at the page and then by the person's wish alone; and taking their answer. */
export function createSignIn(
  deps: FactorDeps<AppData> & { challenges: Challenges; limits: Limits; push: Pick<Push, 'wake'> },
): Pick<Factor, 'begin' | 'verify'> & Required<Pick<Factor, 'send' | 'cancel' | 'watch'>> {
  const { challenges, clock, factors, issuer, limits, push } = deps;

  /** Where phones were woken too often they are asked all the same: a stranger's sign-ins must not shut the owner out. */
  const ask = async ({ cid, accountId }: Challenge, place: SignInPlace, phones: readonly FactorRecord<AppData>[]) => {
    const heldUntil = await challenges.heldUntil(accountId);
    if (heldUntil) return { retryAt: heldUntil };
    const isWoken = phones.some(({ data }) => data.push?.state === 'working') && (await limits.admit(accountId));
    const opening = await challenges.open({ cid, accountId, isWoken, details: detailsOf(place, clock.now()) });
    if (!isWoken) return opening;
    if ('challenge' in opening && opening.isNew) await push.wake(phones);
    else await limits.giveBack(accountId);
    return opening;
  };

  const find = async (challenge: Challenge): Promise<ChallengeDocument | undefined> => {
    const id = idOf(challenge);
    return id === undefined ? undefined : challenges.find(id, challenge);
  };

  const stateOf = ({ status, expiresAt }: ChallengeDocument): Shown =>
    (status === 'pending' || status === 'approved') && expiresAt <= clock.now() ? 'expired' : SHOWN[status];

  const localsOf = (challenge: ChallengeDocument): Record<string, unknown> => {
    const state = stateOf(challenge);
    const common = { state, askedAt: challenge.createdAt.getTime(), since: challenge.changedAt.getTime() };
    if (state !== 'waiting') return common;
    const number = challenges.numberOf(challenge);
    const confirmHref = `${issuer}/app/confirm#${number}`;
    return {
      ...common,
      number: grouped(number),
      isWoken: challenge.isWoken,
      confirmHref,
      qrSvg: qrSvg(confirmHref),
      expiresAt: challenge.expiresAt,
    };
  };

  return {
    async begin(account, challenge, place) {
      const phones = await factors.find(account.id, 'active');
      const page = (locals: Record<string, unknown>) => ({
        view: 'app/enter',
        locals: { devices: phones.map(({ label }) => label), ...locals },
      });
      // The same sign-in in another tab: it goes where that one went.
      if (challenge.isAnswered) return page({ state: 'approved' });
      // Told once: saved again, an answer on its way would belong to something older.
      if (idOf(challenge)) {
        const asked = await find(challenge);
        return page(asked ? localsOf(asked) : { state: 'expired' });
      }
      const opening = await ask(challenge, place, phones);
      if (!('challenge' in opening)) return page({ state: 'too_many', retryAt: opening.retryAt });
      return { ...page(localsOf(opening.challenge)), state: { id: opening.challenge._id } };
    },

    async send(account, challenge, place) {
      const phones = await factors.find(account.id, 'active');
      if (phones.length === 0) return { status: 'refused', reason: 'not_served' };
      const opening = await ask(challenge, place, phones);
      if (!('challenge' in opening)) {
        const { retryAt } = opening;
        return { status: 'refused', reason: 'too_many', ...(retryAt ? { retryAt } : {}) };
      }
      return { status: 'sent', state: { id: opening.challenge._id }, ttlSeconds: SHOWN_SECONDS };
    },

    async verify(account, challenge) {
      if ((await factors.find(account.id, 'active')).length === 0) return rejected('not_enrolled');
      const id = idOf(challenge);
      if (id === undefined) return rejected('expired');
      const factorId = await challenges.claim(id, challenge);
      if (factorId === undefined) {
        const asked = await find(challenge);
        if (asked && stateOf(asked) === 'waiting') return { status: 'pending' };
        if (asked?.status === 'claimed') return rejected('used');
        return rejected(asked?.status === 'denied' || asked?.status === 'over' ? 'wrong' : 'expired');
      }
      // A phone that was taken away meanwhile has answered in vain.
      const device = await factors.update(
        account.id,
        factorId,
        { state: 'active' },
        { $set: { lastUsedAt: clock.now() } },
      );
      if (!device) return rejected('not_enrolled');
      await limits.settle(account.id);
      return { status: 'verified', factorId, level: '2fa', amr: ['swk', 'user', 'mca'] };
    },

    cancel: challenges.cancel,

    watch: {
      collection: CHALLENGES,
      async of(challenge) {
        const asked = await find(challenge);
        return asked && { id: asked._id, changedAt: asked.changedAt };
      },
    },
  };
}
