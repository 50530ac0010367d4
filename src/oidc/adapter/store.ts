import { type Adapter, Provider } from 'oidc-provider';
import type { AccountsAlongside } from '../../accounts/contract.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { type ClientStore, createClients } from './clients.js';
import { createDeviceCodes } from './device-codes.js';
import { OIDC_COLLECTION, type OidcDocument, type OnCall } from './documents.js';
import { createGrants, type StoredGrant } from './grants.js';
import { createRecords } from './records.js';
import { createReplay, type Replay } from './replay.js';
import { createSessions, type Sessions } from './sessions.js';
import { createUnits, type Units } from './unit-of-work.js';

export interface OidcStoreOptions {
  database: Database;
  clock: Clock;
  secretBox: SecretBox;
  /** How long a change made on another node may go unseen, milliseconds. */
  clientCacheMs?: number;
  /** How long an ended session is remembered: the overall session time and 24 h, seconds. */
  tombstoneSeconds?: number;
  /** Lets a request read the account of a session, token or interaction in the same call: see `units.account`. */
  accountsAlongside?: AccountsAlongside;
  onCall?: OnCall;
}

/** Everything the provider keeps, and what else may be done with it. */
export interface OidcStore {
  /** The provider's `adapter` setting. */
  adapter(model: string): Adapter;
  clients: ClientStore;
  sessions: {
    /**
     * Ends a session for good, or sees to it that it never begins. A request in flight cannot bring it back.
     * @returns what it ended, `authorizations` of the applications included; undefined when there was nothing or it was ended before.
     */
    revoke: Sessions['revoke'];
    /** What a session was that is ended already: whoever ended it may have been broken off before its grants were. */
    ended: Sessions['ended'];
    list: Sessions['list'];
    /** By `uid`, the name that stays; undefined once ended or expired. */
    find: Sessions['find'];
    /** Tells a session that was ended from one that ran out. */
    isRevoked: Sessions['isRevoked'];
    /** To be called where a session is used without its cookie. */
    extend: Sessions['extend'];
  };
  /** Of an account, as far as they have not expired; 100 at most. */
  listGrants(accountId: string): Promise<StoredGrant[]>;
  revokeGrant(grantId: string): Promise<void>;
  replay: Replay;
  /** Requests whose writes go out together at their end; without, each is written at once. */
  units: Pick<Units, 'run' | 'onceWritten' | 'account' | 'lookAgain'>;
}

/** The session of the request that runs, when it runs inside the provider. `oldId` is set from a rotation to the save. */
const sessionInFlight = (): { jti: string; uid: string; oldId?: string } | undefined => Provider.ctx?.oidc.session;

/** The application of an authorization request: its session is read before its parameters are. */
const askingClient = (): string | undefined => {
  const clientId = Provider.ctx?.oidc.route === 'authorization' ? Provider.ctx.query.client_id : undefined;
  return typeof clientId === 'string' ? clientId : undefined;
};

export function createOidcStore(options: OidcStoreOptions): OidcStore {
  const { database, clock, secretBox, clientCacheMs = 2000, tombstoneSeconds = 172_800 } = options;
  const onCall: OnCall = options.onCall ?? (() => {});
  const collection = database.collection<OidcDocument>(OIDC_COLLECTION);
  const units = createUnits({ collection, onCall });
  const alongside = options.accountsAlongside ? { accountsAlongside: options.accountsAlongside } : {};
  const records = createRecords({ collection, clock, units, onCall, ...alongside });
  const deviceCodes = createDeviceCodes({ collection, clock, records, onCall });
  const sessions = createSessions({ collection, clock, units, tombstoneSeconds, onCall, ...alongside });
  const clients = createClients({ database, clock, secretBox, clientCacheMs, onCall });
  const grants = createGrants({ collection, clock, onCall });
  const replay = createReplay({ collection, clock, onCall });

  const recordAdapter = (model: string): Adapter => ({
    find: (id) => records.find(model, id),
    upsert: (id, payload, expiresIn) => records.upsert(model, id, payload, expiresIn),
    consume: (id) => records.consume(model, id),
    destroy: (id) => records.destroy(model, id),
    revokeByGrantId: (grantId) => records.revokeByGrantId(model, grantId),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  });

  const adapters: Record<string, (model: string) => Adapter> = {
    Session: (model) => ({
      ...recordAdapter(model),
      find: (id) => sessions.findById(id, askingClient()),
      findByUid: (uid) => sessions.find(uid),
      upsert: (id, payload, expiresIn) => sessions.save(id, payload, expiresIn),
      async destroy(id) {
        const current = sessionInFlight();
        // A rotation "destroys" the old cookie value before it saves the session under the new one.
        if (current?.oldId === id) return;
        if (current?.jti === id) await sessions.revoke(current.uid);
        else await sessions.revokeById(id);
      },
    }),
    DeviceCode: (model) => ({
      ...recordAdapter(model),
      upsert: (id, payload, expiresIn) => deviceCodes.save(id, payload, expiresIn),
      findByUserCode: (userCode) => deviceCodes.findByUserCode(userCode),
    }),
    Client: (model) => ({
      ...recordAdapter(model),
      find: (id) => clients.find(id),
      async upsert(id, payload) {
        const metadata = { ...payload, client_id: id };
        if (!(await clients.insert(metadata))) await clients.replace(metadata);
      },
      async destroy(id) {
        await clients.remove(id);
      },
    }),
  };

  return {
    adapter: (model) => (adapters[model] ?? recordAdapter)(model),
    clients,
    sessions: {
      revoke: (uid) => sessions.revoke(uid),
      ended: (uid) => sessions.ended(uid),
      list: (accountId) => sessions.list(accountId),
      find: (uid) => sessions.find(uid),
      isRevoked: (uid) => sessions.isRevoked(uid),
      extend: (uid, limits) => sessions.extend(uid, limits),
    },
    listGrants: (accountId) => grants.list(accountId),
    revokeGrant: (grantId) => records.revokeGrant(grantId),
    replay,
    units,
  };
}
