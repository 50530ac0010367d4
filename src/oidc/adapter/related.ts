import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';
import type { AccountsAlongside } from '../../accounts/contract.js';
import type { Clock } from '../../platform/clock.js';
import { documentId, OIDC_COLLECTION, type OidcCollection, type OidcDocument } from './documents.js';
import { escapeKey } from './session-change.js';
import type { UnitOfWork } from './unit-of-work.js';

/** What is asked for next is read in the same call: a call costs more than all else it does. */
export interface Related {
  /** A code or token, live or not, with its grant, the session that it ends with, and its account. */
  token(id: string): Promise<OidcDocument | null>;
  /** An interaction, live or not, with the account of its sign-in. */
  interaction(id: string): Promise<OidcDocument | null>;
  /** A session by cookie value with its account, and the grant of the application that asks. */
  session(jti: string, clientId: string): Promise<OidcDocument | null>;
}

type Joined = OidcDocument & { related?: OidcDocument[]; account?: mongo.Document[] };

const grantOf = ({ grantId }: AdapterPayload): string | undefined =>
  grantId === undefined ? undefined : documentId('Grant', grantId);
const sessionOf = ({ sessionUid, expiresWithSession }: AdapterPayload): string | undefined =>
  sessionUid === undefined || !expiresWithSession ? undefined : documentId('Session', sessionUid);

const grantId = { $concat: ['Grant:', '$payload.grantId'] };
const sessionId = { $cond: ['$payload.expiresWithSession', { $concat: ['Session:', '$payload.sessionUid'] }, null] };
/** Of the three an interaction has the first that is there: signed in, half-way, or half-way since the step before. */
const accountOfSignIn = {
  $ifNull: [
    '$payload.result.login.accountId',
    '$payload.result.first_factor.accountId',
    '$payload.lastSubmission.first_factor.accountId',
  ],
};

export function createRelated(deps: {
  collection: OidcCollection;
  clock: Clock;
  accountsAlongside?: AccountsAlongside;
}): (unit: UnitOfWork) => Related {
  const { collection, clock, accountsAlongside } = deps;

  /** @param ids expressions for the `_id`s of documents; null stands for none. @param account expression for that of an account. */
  const read = async (
    unit: UnitOfWork,
    filter: mongo.Filter<OidcDocument>,
    { ids, account }: { ids?: unknown; account: unknown },
    asked: (payload: AdapterPayload) => (string | undefined)[] = () => [],
  ): Promise<OidcDocument | null> => {
    const join = (as: string, from: string) => ({ $lookup: { from, localField: as, foreignField: '_id', as } });
    const [found] = await collection
      .aggregate<Joined>([
        { $match: filter },
        { $set: { ...(ids ? { related: ids } : {}), ...(accountsAlongside ? { account } : {}) } },
        ...(ids ? [join('related', OIDC_COLLECTION)] : []),
        ...(accountsAlongside ? [join('account', accountsAlongside.collection)] : []),
      ])
      .toArray();
    if (!found) return null;
    const { related = [], account: accounts = [], ...document } = found;
    for (const other of related) unit.keep(other._id, other);
    for (const one of accounts) if (accountsAlongside) unit.keepAccount(accountsAlongside.toAccount(one));
    // What was looked for beside it and is not there.
    for (const id of asked(document.payload ?? {})) if (id !== undefined) unit.keep(id, null);
    return document;
  };

  return (unit) => ({
    token: (id) =>
      read(unit, { _id: id }, { ids: [grantId, sessionId], account: '$payload.accountId' }, (payload) => [
        grantOf(payload),
        sessionOf(payload),
      ]),
    interaction: (id) => read(unit, { _id: id }, { account: accountOfSignIn }),
    session(jti, clientId) {
      const key = escapeKey(clientId);
      const entry = { $getField: { field: { $literal: key }, input: '$payload.authorizations' } };
      const ids = { $concat: ['Grant:', { $getField: { field: 'grantId', input: entry } }] };
      return read(
        unit,
        { ids: jti, revokedAt: { $exists: false }, expiresAt: { $gt: clock.now() } },
        { ids, account: '$payload.accountId' },
        ({ authorizations }) => [grantOf((authorizations?.[key] ?? {}) as AdapterPayload)],
      );
    },
  });
}
