import type { AuditEventType } from '../audit/contract.js';
import { inSeconds } from '../platform/clock.js';
import { isDuplicateKey, type Unit } from '../platform/database.js';
import { readPage } from '../platform/paging.js';
import {
  type AdministratorDesk,
  AFTER_DECLINE_SECONDS,
  type EmployeeDesk,
  type Filed,
  type NewRequest,
  OPEN_REQUESTS_PER_ACCOUNT,
  RECOVERY_COOKIE_SECONDS,
  REQUEST_SECONDS,
  REQUESTS_PER_HOUR,
} from './contract.js';
import { type RequestDocument, requestCollection, sealedFor } from './documents.js';
import { type DeskParts, ITSELF, tell, themselves } from './parts.js';
import { makeWord, NUMBER_LENGTH, normaliseWord } from './secret-words.js';
import { toOwnRequest, toRequest } from './shown.js';

const HOUR_SECONDS = 3600;
/** Failures that an administrator should know of. */
const FAILURES_SECONDS = HOUR_SECONDS;
const FAILURES: ReadonlySet<AuditEventType> = new Set(['factor_rejected', 'factor_throttled', 'factor_disabled']);
const EVENTS_READ = 100;
/** What people typed, and where they were, is kept as long as addresses are (operations: 90 days). */
const KEPT_SECONDS = 90 * 86_400;
/** Another browser may take the same place, or draw the same number, at the same moment. */
const TRIES = 4;

export type Requests = Pick<EmployeeDesk, 'file' | 'ofBrowser' | 'withdraw'> &
  Pick<AdministratorDesk, 'findRequest' | 'listRequests' | 'openRequests'> & {
    /** How a number is looked for; undefined when it is none. */
    indexOf(typed: string): string | undefined;
    /** Writes down that time has ended a request. */
    expireIn(unit: Unit, requestId: string, accountId: string): Promise<void>;
  };

export function createRequests(parts: DeskParts): Requests {
  const { clock, random, secretBox, standings, audit } = parts;
  const requests = requestCollection(parts.database);
  const openAt = (now: Date) => ({ state: 'open' as const, expiresAt: { $gt: now } });
  const indexOfNumber = (number: string): string => secretBox.index(number, 'recovery-request-number');

  const own = async (document: RequestDocument) => {
    const now = clock.now();
    const rivals = await requests.countDocuments(
      { accountId: document.accountId, _id: { $ne: document._id }, ...openAt(now) },
      { limit: 1 },
    );
    return toOwnRequest(document, rivals > 0, now, secretBox);
  };

  const failedMethods = async (accountId: string): Promise<string[]> => {
    const since = inSeconds(clock.now(), -FAILURES_SECONDS);
    // Without their types: of an account with years of events, a search for three of them would read all.
    const events = await audit.list({ accountId }, { limit: EVENTS_READ });
    const methods = events
      .filter(({ at, type, details }) => at > since && FAILURES.has(type) && details?.during === undefined)
      .map(({ details }) => details?.method);
    return [...new Set(methods.filter((method) => typeof method === 'string'))];
  };

  const latest = (browserHash: string, accountId?: string) =>
    requests
      .find({
        browserHash,
        createdAt: { $gt: inSeconds(clock.now(), -RECOVERY_COOKIE_SECONDS) },
        ...(accountId ? { accountId } : {}),
      })
      .sort({ createdAt: -1 })
      .limit(1)
      .next();

  const documentOf = (
    accountId: string,
    slot: number,
    { browserHash, circumstances, contact, note, clientId, isKnownBrowser, origin }: NewRequest,
    known: { failedMethods: string[]; administratorsTold: number },
  ): RequestDocument => {
    const now = clock.now();
    const _id = random.bytes(16).toString('hex');
    const number = makeWord(random, NUMBER_LENGTH);
    const expiresAt = inSeconds(now, REQUEST_SECONDS);
    return {
      _id,
      accountId,
      browserHash,
      state: 'open',
      slot,
      numberIndex: indexOfNumber(number),
      sealedNumber: secretBox.seal(number, sealedFor(_id, 'number')),
      ...(contact ? { sealedContact: secretBox.seal(contact, sealedFor(_id, 'contact')) } : {}),
      ...(note ? { sealedNote: secretBox.seal(note, sealedFor(_id, 'note')) } : {}),
      circumstances,
      ...(clientId ? { clientId } : {}),
      ...(origin.ip ? { ip: origin.ip } : {}),
      ...(origin.userAgent ? { userAgent: origin.userAgent } : {}),
      isKnownBrowser,
      ...known,
      createdAt: now,
      expiresAt,
      changedAt: now,
      purgeAt: inSeconds(expiresAt, KEPT_SECONDS),
    };
  };

  const expireIn = async (unit: Unit, requestId: string, accountId: string): Promise<void> => {
    const { modifiedCount } = await requests.updateOne(
      { _id: requestId, state: 'open' },
      { $set: { state: 'expired', changedAt: clock.now() } },
      { session: unit.session },
    );
    if (modifiedCount === 0) return;
    await tell(parts, { type: 'recovery_request_expired', accountId, by: ITSELF, facts: { requestId } }, unit);
  };

  /** One try: all of it or nothing. */
  const tryToFile = (
    accountId: string,
    request: NewRequest,
    known: { failedMethods: string[]; administratorsTold: number },
  ): Promise<{ document: RequestDocument; isNew: boolean } | 'full'> =>
    parts.database.transaction(async (unit) => {
      const { session } = unit;
      const now = clock.now();
      const places = await requests.find({ accountId, state: 'open' }, { session }).toArray();
      for (const { _id } of places.filter(({ expiresAt }) => expiresAt <= now)) await expireIn(unit, _id, accountId);
      const open = places.filter(({ expiresAt }) => expiresAt > now);
      const mine = open.find(({ browserHash }) => browserHash === request.browserHash);
      if (mine) return { document: mine, isNew: false };
      const lately = { accountId, createdAt: { $gt: inSeconds(now, -HOUR_SECONDS) } };
      if ((await requests.countDocuments(lately, { limit: REQUESTS_PER_HOUR, session })) === REQUESTS_PER_HOUR)
        return 'full';
      const slot = Array.from({ length: OPEN_REQUESTS_PER_ACCOUNT }, (_, place) => place).find((place) =>
        open.every((other) => other.slot !== place),
      );
      if (slot === undefined) return 'full';
      const document = documentOf(accountId, slot, request, known);
      await requests.insertOne(document, { session });
      await standings.noteRequest(accountId, unit);
      await tell(
        parts,
        {
          type: 'recovery_request_filed',
          accountId,
          by: themselves(accountId, request.origin),
          facts: { requestId: document._id, circumstances: document.circumstances },
          ...(document.clientId ? { clientId: document.clientId } : {}),
        },
        unit,
      );
      return { document, isNew: true };
    });

  return {
    expireIn,

    indexOf(typed) {
      const number = normaliseWord(typed, NUMBER_LENGTH);
      return number && indexOfNumber(number);
    },

    async file({ id: accountId }, request): Promise<Filed> {
      const before = await latest(request.browserHash, accountId);
      const now = clock.now();
      if (before?.state === 'open' && before.expiresAt > now) return { status: 'exists', request: await own(before) };
      const retryAt = inSeconds(before?.changedAt ?? now, AFTER_DECLINE_SECONDS);
      if (before?.state === 'declined' && retryAt > now) return { status: 'wait', retryAt };
      const known = {
        failedMethods: await failedMethods(accountId),
        administratorsTold: await parts.countAdministrators(accountId),
      };
      for (let tries = 1; ; tries += 1) {
        try {
          const filed = await tryToFile(accountId, request, known);
          if (filed === 'full') return { status: 'full' };
          return { status: filed.isNew ? 'filed' : 'exists', request: await own(filed.document) };
        } catch (error) {
          if (!isDuplicateKey(error) || tries === TRIES) throw error;
        }
      }
    },

    async ofBrowser(accountId, browserHash) {
      const found = await latest(browserHash, accountId);
      return found ? own(found) : undefined;
    },

    withdraw: (requestId, browserHash, origin) =>
      parts.database.transaction(async (unit) => {
        const now = clock.now();
        const withdrawn = await requests.findOneAndUpdate(
          { _id: requestId, browserHash, ...openAt(now) },
          { $set: { state: 'withdrawn', changedAt: now } },
          { session: unit.session },
        );
        if (!withdrawn) return false;
        const { accountId } = withdrawn;
        const by = themselves(accountId, origin);
        await tell(parts, { type: 'recovery_request_withdrawn', accountId, by, facts: { requestId } }, unit);
        return true;
      }),

    async findRequest(id) {
      const found = await requests.findOne({ _id: id });
      return found ? toRequest(found, clock.now(), secretBox) : undefined;
    },

    async listRequests({ state, accountId }, page) {
      const now = clock.now();
      const filter = {
        ...(accountId === undefined ? {} : { accountId }),
        ...(state === undefined ? {} : state === 'open' ? openAt(now) : { state }),
      };
      const { items, next } = await readPage(requests, filter, page);
      return { items: items.map((item) => toRequest(item, now, secretBox)), ...(next ? { next } : {}) };
    },

    async openRequests(accountIds) {
      const open = await requests
        .find({ accountId: { $in: [...accountIds] }, ...openAt(clock.now()) }, { projection: { accountId: 1 } })
        .toArray();
      const counts = new Map<string, number>();
      for (const { accountId } of open) counts.set(accountId, (counts.get(accountId) ?? 0) + 1);
      return counts;
    },
  };
}
