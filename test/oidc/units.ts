import { randomBytes } from 'node:crypto';
import type { mongo } from 'mongoose';
import type { AdapterPayload } from 'oidc-provider';
import { createOidcStore, ensureIndexes, type OidcStore } from '../../src/oidc/adapter/index.js';
import { type WatchedDatabase, watchedDatabase } from '../performance/database-calls.js';
import { FakeClock } from '../support/clock.js';
import { secretBox } from './bare-provider.js';

export interface Raw {
  _id: string;
  payload?: AdapterPayload;
  ids?: string[];
  expiresAt: Date;
}

/** A store whose requests are units of work, beside another one that writes at once, as another node would have it. */
export interface Units {
  clock: FakeClock;
  database: WatchedDatabase;
  store: OidcStore;
  other: OidcStore;
  commands: mongo.CommandStartedEvent[];
  raw(_id: string): Promise<Raw | null>;
  /** One request, written at its end. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** A session `uid` of another time, by the cookie value `uid-0`. */
  begin(uid: string): Promise<void>;
}

export async function openUnits(): Promise<Units> {
  const clock = new FakeClock();
  const commands: mongo.CommandStartedEvent[] = [];
  const database = await watchedDatabase(`test_${randomBytes(6).toString('hex')}`);
  await ensureIndexes(database);
  for (const client of database.clients)
    client.on('commandStarted', (event: mongo.CommandStartedEvent) => commands.push(event));
  const store = createOidcStore({ database, clock, secretBox });
  const other = createOidcStore({ database, clock, secretBox });
  return {
    clock,
    database,
    store,
    other,
    commands,
    raw: (_id) => database.collection<Raw>('oidc').findOne({ _id }),
    run: (work) =>
      store.units.run(async (unit) => {
        const answer = await work();
        await unit.commit();
        return answer;
      }),
    async begin(uid) {
      const payload = {
        kind: 'Session',
        uid,
        jti: `${uid}-0`,
        accountId: 'anna',
        loginTs: 1,
        exp: 1,
        authorizations: {},
      };
      await other.adapter('Session').upsert(`${uid}-0`, payload, 600);
    },
  };
}
