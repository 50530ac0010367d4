import {
  type Challenge,
  type Factor,
  type FactorDeps,
  type FactorSummary,
  inSeconds,
  type Outcome,
  qrSvg,
  type RejectionCode,
  type SendOutcome,
  type SignInPlace,
} from '../../src/factors/contract.js';
import { CHALLENGES, type ChallengeDocument, type Challenges, type Opening, type Standing } from './challenges.js';
import { type AppData, summarise, wakeable } from './data.js';
import type { Limits } from './limits.js';
import type { Push } from './push.js';

/** How long the page can tell what became of it, before a look at it asks again. */
const SHOWN_SECONDS = 600;
/** How long phones that were told of a question are not told again. */
const COOL_DOWN_SECONDS = 20;

/** What stands on the page; `too_many` and `throttled` where nobody could be asked. */
type Shown = 'waiting' | 'approved' | 'postponed' | 'denied' | 'over' | 'expired' | 'too_many' | 'throttled';

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

const rejected = (code: RejectionCode): Outcome => ({ status: 'rejected', code });

const againAt = (wokenAt: Date): Date => inSeconds(wokenAt, COOL_DOWN_SECONDS);

/** Groups of three, from the right: what is read and typed. */
const grouped = (number: string): string => number.replace(/\B(?=(?:\d{3})+$)/g, ' ');

/** Letter by letter what the phone shows and signs a hash of. */
const detailsOf = ({ application, browser, ip }: SignInPlace, at: Date, isTrial: boolean): string =>
  JSON.stringify({ application, browser, ip, at: at.toISOString(), ...(isTrial ? { trial: true } : {}) });

/** Those that a challenge is for. */
const askedBy = ({ trialOf }: Challenge, phones: readonly FactorSummary[]): readonly FactorSummary[] =>
  trialOf === undefined ? phones : phones.filter(({ id }) => id === trialOf);

/** Asking the phones of an account, once at the first look at the page and then by the person's wish alone; and taking their answer. */
export function createSignIn(
  deps: FactorDeps<AppData> & { challenges: Challenges; limits: Limits; push: Pick<Push, 'wake'> },
): Pick<Factor, 'begin' | 'verify'> & Required<Pick<Factor, 'send' | 'cancel' | 'watch'>> {
  const { challenges, clock, factors, guesses, issuer, limits, push } = deps;

  const wake = (accountId: string, phones: readonly FactorSummary[]): Promise<void> =>
    push.wake(
      accountId,
      wakeable(phones).map(({ id }) => id),
    );

  /** Where phones were woken too often they are asked all the same: a stranger's sign-ins must not shut the owner out. */
  const ask = async (
    { cid, accountId, trialOf }: Challenge,
    place: SignInPlace,
    phones: readonly FactorSummary[],
    standing: Standing,
  ): Promise<Opening> => {
    const isWoken = wakeable(phones).length > 0 && (await limits.admit(accountId)).reserved;
    const details = detailsOf(place, clock.now(), trialOf !== undefined);
    const question = { cid, accountId, isWoken, details, ...(trialOf ? { onlyFor: trialOf } : {}) };
    const opening = await challenges.open(question, standing);
    if (!isWoken) return opening;
    if ('challenge' in opening && opening.isNew) await wake(accountId, phones);
    else await limits.giveBack(accountId);
    return opening;
  };

  /** Tells the phones of a question that waits already, and leaves it as it is: its number stands on the page. */
  const wakeAgain = async (asked: ChallengeDocument, phones: readonly FactorSummary[]): Promise<SendOutcome> => {
    const { accountId, wokenAt } = asked;
    if (asked.status !== 'pending' || wakeable(phones).length === 0) return { status: 'sent' };
    const before = inSeconds(clock.now(), -COOL_DOWN_SECONDS);
    if (wokenAt && wokenAt > before) return { status: 'refused', reason: 'wait', retryAt: againAt(wokenAt) };
    const admitted = await limits.admit(accountId);
    if (!admitted.reserved) {
      const { retryAt } = admitted;
      return { status: 'refused', reason: 'quiet', ...(retryAt ? { retryAt } : {}) };
    }
    if (await challenges.wakeAgain(asked, before)) await wake(accountId, phones);
    else await limits.giveBack(accountId);
    return { status: 'sent' };
  };

  /** What a look at the page tells of, without asking anybody; undefined: nothing was asked lately, or it was a trial that was left. */
  const toldOf = ({ running, latest }: Standing): ChallengeDocument | undefined => {
    if (running) return running;
    if (!latest || latest.createdAt <= inSeconds(clock.now(), -SHOWN_SECONDS)) return undefined;
    return latest.status === 'cancelled' && latest.onlyFor ? undefined : latest;
  };

  const stateOf = ({ status, expiresAt }: ChallengeDocument): Shown =>
    (status === 'pending' || status === 'approved') && expiresAt <= clock.now() ? 'expired' : SHOWN[status];

  const localsOf = (challenge: ChallengeDocument, phones: readonly FactorSummary[]): Record<string, unknown> => {
    const state = stateOf(challenge);
    const { createdAt, wokenAt } = challenge;
    const common = { state, askedAt: createdAt.getTime(), since: challenge.changedAt.getTime() };
    if (state !== 'waiting') return common;
    const number = challenges.numberOf(challenge);
    const confirmHref = `${issuer}/app/confirm#${number}`;
    const woken = wokenAt ? wakeable(phones) : [];
    return {
      ...common,
      number: grouped(number),
      woken: woken.map(({ label }) => label),
      ...(wokenAt && woken.length > 0 ? { isAgain: wokenAt > createdAt, againAt: againAt(wokenAt) } : {}),
      confirmHref,
      qrSvg: qrSvg(confirmHref, { isBrief: true }),
      expiresAt: challenge.expiresAt,
    };
  };

  return {
    async begin(_account, challenge, place, enrolled) {
      const phones = askedBy(challenge, enrolled);
      const page = (locals: Record<string, unknown>) => ({
        view: 'app/enter',
        locals: { devices: phones.map(({ label }) => label), ...locals },
      });
      const standing = await challenges.standing(challenge);
      const told = toldOf(standing);
      if (told) return page(localsOf(told, phones));
      if (standing.heldUntil) return page({ state: 'too_many', retryAt: standing.heldUntil });
      // No answer would be taken now: whoever looks at the page again later asks then.
      const throttled = await guesses.obstacle(challenge.accountId);
      if (throttled) return page({ state: 'throttled', retryAt: throttled.retryAt });
      const opening = await ask(challenge, place, phones, standing);
      return page(
        'challenge' in opening ? localsOf(opening.challenge, phones) : { state: 'too_many', retryAt: opening.retryAt },
      );
    },

    async send({ id }, challenge, place) {
      const phones = askedBy(challenge, summarise(await factors.find(id, 'active')));
      if (phones.length === 0) return { status: 'refused', reason: 'not_served' };
      const standing = await challenges.standing(challenge);
      const { running, heldUntil } = standing;
      if (heldUntil) return { status: 'refused', reason: 'too_many', retryAt: heldUntil };
      if (running?.status === 'claimed') return undefined;
      if (running) return wakeAgain(running, phones);
      const opening = await ask(challenge, place, phones, standing);
      return 'challenge' in opening
        ? { status: 'sent', state: {} }
        : { status: 'refused', reason: 'too_many', retryAt: opening.retryAt };
    },

    async verify(account, challenge) {
      const factorId = await challenges.claim(challenge);
      if (factorId === undefined) {
        if ((await factors.find(account.id, 'active')).length === 0) return rejected('not_enrolled');
        const asked = await challenges.latest(challenge);
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
      return { status: 'verified', factorId, level: '2fa', amr: ['swk', 'user', 'mca'] };
    },

    cancel: challenges.cancel,

    watch: {
      collection: CHALLENGES,
      answered: 'approved' satisfies ChallengeDocument['status'],
      async of(challenge) {
        const asked = await challenges.latest(challenge);
        return asked && { id: asked._id, changedAt: asked.changedAt, status: asked.status };
      },
    },
  };
}
