import { ALL_METHODS, codeRules, methodCounter, REFUSAL_EVENT, throttleSubject } from '../factors/index.js';
import { inSeconds } from '../platform/clock.js';
import { readPage } from '../platform/paging.js';
import type { AdministratorDesk, EmployeeDesk, Redeemed } from './contract.js';
import { passCollection, suspensionCollection } from './documents.js';
import { type DeskParts, tell, themselves } from './parts.js';
import { ACCESS_CODE_LENGTH, ACCESS_PASS_LENGTH, inGroups, makeWord, normaliseWord } from './secret-words.js';
import { toPass } from './shown.js';

const PASSES_KEPT_SECONDS = 90 * 86_400;

type Codes = Pick<EmployeeDesk, 'redeemAccessCode' | 'redeemAccessPass' | 'hasAccessPass'> &
  Pick<
    AdministratorDesk,
    'issueAccessCode' | 'issueAccessPass' | 'listAccessPasses' | 'findAccessPass' | 'revokeAccessPass' | 'closeSetUp'
  >;

/** Access codes and access passes: what administrators read out to somebody, and what it opens. */
export function createCodes(parts: DeskParts): Codes {
  const { clock, database, random, secretBox, standings, throttle, audit } = parts;
  const suspensions = suspensionCollection(database);
  const passes = passCollection(database);
  const hashOf = (word: string, kind: 'access-code' | 'access-pass', accountId: string): string =>
    secretBox.index(`${accountId} ${word}`, kind);
  const usable = (now: Date) => ({
    usedAt: { $exists: false },
    revokedAt: { $exists: false },
    expiresAt: { $gt: now },
  });

  /** One attempt, counted before it is judged, like one with a factor. */
  const attempt = async (
    accountId: string,
    kind: 'access_code' | 'access_pass',
    origin: Parameters<EmployeeDesk['redeemAccessPass']>[2],
    judge: () => Promise<boolean>,
  ): Promise<Redeemed> => {
    const subject = throttleSubject(accountId);
    const actor = { type: 'account', id: accountId } as const;
    const reservation = await throttle.reserve(subject, codeRules(kind));
    if (!reservation.reserved) {
      if ((await throttle.reserve(subject, [REFUSAL_EVENT])).reserved) {
        await audit.record({ type: 'factor_throttled', accountId, actor, origin, details: { method: kind } });
      }
      return { status: 'throttled', ...(reservation.retryAt ? { retryAt: reservation.retryAt } : {}) };
    }
    if (!(await judge())) {
      await audit.record({ type: `${kind}_rejected`, accountId, actor, origin });
      return { status: 'rejected' };
    }
    await throttle.settle(subject, { reset: [methodCounter(kind)], release: [ALL_METHODS] });
    return { status: 'accepted' };
  };

  return {
    redeemAccessCode: ({ id: accountId }, browserHash, typed, origin) =>
      attempt(accountId, 'access_code', origin, async () => {
        const code = normaliseWord(typed, ACCESS_CODE_LENGTH);
        if (!code) return false;
        const hash = hashOf(code, 'access-code', accountId);
        return database.transaction(async (unit) => {
          if (!(await standings.useAccessCode(accountId, hash, browserHash, unit))) return false;
          const { session } = unit;
          const running = { accountId, isOpen: true, until: { $gt: clock.now() } } as const;
          await suspensions.updateOne(running, { $inc: { clearedBrowsers: 1 } }, { session });
          const actor = { type: 'account', id: accountId } as const;
          await audit.record({ type: 'access_code_used', accountId, actor, origin }, unit);
          return true;
        });
      }),

    redeemAccessPass: ({ id: accountId }, typed, origin) =>
      attempt(accountId, 'access_pass', origin, () => {
        const pass = normaliseWord(typed, ACCESS_PASS_LENGTH);
        if (!pass) return Promise.resolve(false);
        const hash = hashOf(pass, 'access-pass', accountId);
        return database.transaction(async (unit) => {
          const now = clock.now();
          const used = await passes.findOneAndUpdate(
            { accountId, hash, ...usable(now) },
            { $set: { usedAt: now } },
            { session: unit.session },
          );
          if (!used) return false;
          const facts = { accessPassId: used._id };
          await tell(parts, { type: 'access_pass_used', accountId, by: themselves(accountId, origin), facts }, unit);
          return true;
        });
      }),

    hasAccessPass: async (accountId) =>
      (await passes.countDocuments({ accountId, ...usable(clock.now()) }, { limit: 1 })) === 1,

    async issueAccessCode(suspensionId, by) {
      const suspension = await suspensions.findOne({ _id: suspensionId });
      if (!suspension) return { status: 'not_found' };
      const { accountId } = suspension;
      const code = makeWord(random, ACCESS_CODE_LENGTH);
      const isIssued = await database.transaction(async (unit) => {
        const hash = hashOf(code, 'access-code', accountId);
        if (!(await standings.addAccessCode(accountId, suspensionId, hash, unit))) return false;
        await suspensions.updateOne(
          { _id: suspensionId },
          { $inc: { accessCodesIssued: 1 } },
          { session: unit.session },
        );
        await tell(parts, { type: 'access_code_issued', accountId, by, facts: { suspensionId } }, unit);
        return true;
      });
      return isIssued ? { status: 'issued', code: inGroups(code, 5, '-') } : { status: 'ended' };
    },

    async issueAccessPass({ id: accountId }, seconds, by) {
      const pass = makeWord(random, ACCESS_PASS_LENGTH);
      const createdAt = clock.now();
      const expiresAt = inSeconds(createdAt, seconds);
      const document = {
        _id: random.bytes(16).toString('hex'),
        accountId,
        hash: hashOf(pass, 'access-pass', accountId),
        createdAt,
        expiresAt,
        ...(by.id ? { issuedBy: by.id } : {}),
        purgeAt: inSeconds(expiresAt, PASSES_KEPT_SECONDS),
      };
      await database.transaction(async (unit) => {
        const { session } = unit;
        await passes.updateMany({ accountId, ...usable(createdAt) }, { $set: { revokedAt: createdAt } }, { session });
        await passes.insertOne(document, { session });
        // Whatever the one before has opened, in whichever browser, is closed too.
        await standings.clearFirstEnrolment(accountId, unit);
        const facts = { accessPassId: document._id, expiresAt: expiresAt.toISOString() };
        await tell(parts, { type: 'access_pass_issued', accountId, by, facts }, unit);
      });
      return { pass: inGroups(pass, 4, '-'), accessPass: toPass(document) };
    },

    async listAccessPasses(accountId, page) {
      const { items, next } = await readPage(passes, { accountId }, page);
      return { items: items.map(toPass), ...(next ? { next } : {}) };
    },

    async findAccessPass(accountId, id) {
      const found = await passes.findOne({ _id: id, accountId });
      return found ? toPass(found) : undefined;
    },

    revokeAccessPass: (accountId, id, by) =>
      database.transaction(async (unit) => {
        const now = clock.now();
        const { modifiedCount } = await passes.updateOne(
          { _id: id, accountId, ...usable(now) },
          { $set: { revokedAt: now } },
          { session: unit.session },
        );
        if (modifiedCount === 0) return false;
        await tell(parts, { type: 'access_pass_revoked', accountId, by, facts: { accessPassId: id } }, unit);
        return true;
      }),

    async closeSetUp(unit, accountId, by) {
      const { session } = unit;
      const now = clock.now();
      const ready = await passes.find({ accountId, ...usable(now) }, { session, projection: { _id: 1 } }).toArray();
      for (const { _id } of ready) {
        await passes.updateOne({ _id }, { $set: { revokedAt: now } }, { session });
        await tell(parts, { type: 'access_pass_revoked', accountId, by, facts: { accessPassId: _id } }, unit);
      }
      await standings.clearFirstEnrolment(accountId, unit);
    },
  };
}
