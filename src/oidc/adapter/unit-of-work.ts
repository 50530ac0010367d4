import { AsyncLocalStorage } from 'node:async_hooks';
import type { mongo } from 'mongoose';
import type { Account } from '../../accounts/contract.js';
import { isDatabaseUnavailable } from '../../platform/database.js';
import { DURABLE, EXPENDABLE, type OidcCollection, type OidcDocument, type OnCall } from './documents.js';

/** One conditional update of one document. */
export interface Statement {
  filter: mongo.Filter<OidcDocument>;
  update: mongo.UpdateFilter<OidcDocument> | mongo.Document[];
  upsert?: boolean;
}

/** A write that waits for the end of its request. */
export interface Write extends Statement {
  _id: string;
  /** What it is part of: dropped when that is revoked. */
  grantId?: string;
  /** Nobody is let in or kept out by it: it may be lost with its node. */
  isExpendable?: boolean;
  /** The error that stands for a condition that did not hold; undefined for any other failure. */
  refusal?(error: unknown): Error | undefined;
}

/** What one request has read of the provider's documents, and is about to write. */
export interface UnitOfWork {
  /** As this request knows it: null when there is none, undefined when it has not asked. Not to be handed out without a copy. */
  read(id: string): OidcDocument | null | undefined;
  readSession(jti: string): OidcDocument | null | undefined;
  /** As the database has told it, whatever this request has written since. */
  found(id: string): OidcDocument | undefined;
  /** What the database has said; where the request has written meanwhile it is not heard. */
  keep(id: string, document: OidcDocument | null): void;
  keepSession(jti: string, document: OidcDocument | null): void;
  /** An account that was read with one of them. */
  keepAccount(account: Account): void;
  /** Takes the place of an earlier write of the same document. */
  write(write: Write, document: OidcDocument | null): void;
  /** Sessions are written first, each change in its turn: when one is refused nothing after it is written. */
  writeSession(write: Write, document: OidcDocument): void;
  /** Survives a fault: what was ended stays ended. */
  destroy(id: string, statement: Statement): void;
  /** Comes last; its failure is nobody's. */
  writeAside(write: Write): void;
  isWaiting(id: string): boolean;
  /** Ended by other means, at once: nothing of it is written any more. */
  drop(id: string): void;
  /** The same for everything under a grant. */
  dropGrant(grantId: string): void;
  /** Known no longer: to be asked for again. */
  forget(id: string): void;
  /** Writes what waits. @throws what a refused write stands for */
  flush(): Promise<void>;
}

/** The unit of work as the middleware around a request sees it. */
export interface RunningUnit {
  /** Writes what waits, then does what was to be done once it is there. */
  commit(): Promise<void>;
  /** Gives up what was to be written, and still ends what was to be ended. True when a session was to be written. */
  abandon(): Promise<boolean>;
}

export interface Units {
  /** Of the request that runs; undefined where there is none, or where it is over: then writes are direct. */
  current(): UnitOfWork | undefined;
  run<T>(work: (unit: RunningUnit) => Promise<T>): Promise<T>;
  /** Forgets what this request has read, so that it sees what others have written meanwhile. */
  lookAgain(): void;
  /** An account as this request has read it beside a session, a token or an interaction. */
  account(id: string): Account | undefined;
  /** Does `work` when what the request has written is there to stay; at once where there is no request. */
  onceWritten(work: () => Promise<void>): Promise<void>;
}

const sessionKey = (jti: string): string => `ids:${jti}`;

class Unit implements UnitOfWork, RunningUnit {
  readonly #documents = new Map<string, OidcDocument | null>();
  readonly #found = new Map<string, OidcDocument>();
  readonly accounts = new Map<string, Account>();
  #sessions: Write[] = [];
  #writes = new Map<string, Write>();
  #destroys = new Map<string, Write>();
  #aside: Write[] = [];
  #afterwards: (() => Promise<void>)[] = [];
  isClosed = false;

  constructor(
    readonly collection: OidcCollection,
    private readonly onCall: OnCall,
  ) {}

  read(id: string): OidcDocument | null | undefined {
    return this.#documents.get(id);
  }

  readSession(jti: string): OidcDocument | null | undefined {
    for (const document of this.#documents.values()) if (document?.ids?.includes(jti)) return document;
    return this.#documents.get(sessionKey(jti));
  }

  found(id: string): OidcDocument | undefined {
    return this.#found.get(id);
  }

  keep(id: string, document: OidcDocument | null): void {
    if (this.#documents.has(id)) return;
    this.#documents.set(id, document);
    if (document) this.#found.set(id, document);
  }

  keepSession(jti: string, document: OidcDocument | null): void {
    if (document) this.keep(document._id, document);
    else this.keep(sessionKey(jti), null);
  }

  keepAccount(account: Account): void {
    this.accounts.set(account.id, account);
  }

  write(write: Write, document: OidcDocument | null): void {
    this.#writes.set(write._id, write);
    this.#documents.set(write._id, document);
  }

  writeSession(write: Write, document: OidcDocument): void {
    this.#sessions.push(write);
    this.#documents.set(write._id, document);
  }

  destroy(id: string, statement: Statement): void {
    this.#writes.delete(id);
    this.#destroys.set(id, { ...statement, _id: id });
    this.#documents.set(id, null);
  }

  writeAside(write: Write): void {
    this.#aside.push(write);
  }

  isWaiting(id: string): boolean {
    return this.#writes.has(id);
  }

  drop(id: string): void {
    this.#writes.delete(id);
    this.#sessions = this.#sessions.filter(({ _id }) => _id !== id);
    this.#documents.set(id, null);
  }

  dropGrant(grantId: string): void {
    for (const { _id, grantId: own } of [...this.#writes.values()]) if (own === grantId) this.drop(_id);
    for (const [id, document] of this.#documents) if (document?.payload?.grantId === grantId) this.forget(id);
  }

  forget(id: string): void {
    this.#documents.delete(id);
    this.#found.delete(id);
  }

  lookAgain(): void {
    const own = new Set([...this.#sessions.map(({ _id }) => _id), ...this.#writes.keys(), ...this.#destroys.keys()]);
    for (const id of this.#documents.keys()) if (!own.has(id)) this.forget(id);
  }

  async flush(): Promise<void> {
    const [sessions, destroys, writes, aside] = [
      this.#sessions,
      [...this.#destroys.values()],
      [...this.#writes.values()],
      this.#aside,
    ];
    this.#clear();
    const all = [...sessions, ...destroys, ...writes, ...aside];
    if (all.length === 0) return;
    try {
      await this.#send(all);
    } catch (error) {
      const failed = all[placeOf(error)];
      if (failed && aside.includes(failed) && !isDatabaseUnavailable(error)) return;
      await this.#end(destroys);
      throw failed?.refusal?.(error) ?? error;
    }
  }

  async commit(): Promise<void> {
    await this.flush();
    const afterwards = this.#afterwards;
    this.#afterwards = [];
    for (const work of afterwards) await work();
    await this.flush();
  }

  async abandon(): Promise<boolean> {
    const hadSession = this.#sessions.length > 0;
    const destroys = [...this.#destroys.values()];
    this.#clear();
    this.#afterwards = [];
    await this.#end(destroys);
    return hadSession;
  }

  afterwards(work: () => Promise<void>): void {
    this.#afterwards.push(work);
  }

  /** What began in the request and goes on, as a page that listens does, holds on to none of it. */
  close(): void {
    this.isClosed = true;
    this.#documents.clear();
    this.#found.clear();
    this.accounts.clear();
  }

  #clear(): void {
    this.#sessions = [];
    this.#writes = new Map();
    this.#destroys = new Map();
    this.#aside = [];
  }

  /** Where the database is away, the fault that led here is told, not this one. */
  async #end(destroys: readonly Write[]): Promise<void> {
    if (destroys.length > 0) await this.#send(destroys).catch(() => {});
  }

  /** One command whatever is in it: the driver makes one for each row of writes of the same kind, and all of these are updates. */
  async #send(writes: readonly Write[]): Promise<void> {
    this.onCall('Unit', 'flush');
    const options = writes.every(({ isExpendable }) => isExpendable) ? EXPENDABLE : DURABLE;
    const [first, ...others] = writes;
    if (first && others.length === 0) {
      const { filter, update, upsert = false } = first;
      await this.collection.updateOne(filter, update, { ...options, upsert });
      return;
    }
    await this.collection.bulkWrite(
      writes.map(({ filter, update, upsert = false }) => ({ updateOne: { filter, update, upsert } })),
      { ...options, ordered: true },
    );
  }
}

/** Which of the writes failed; the only one there was, unless it is said. */
const placeOf = (error: unknown): number => {
  const { writeErrors } = error as { writeErrors?: { index: number } | { index: number }[] };
  return [writeErrors ?? []].flat()[0]?.index ?? 0;
};

/** One for all providers of a process: each further one would cost every promise a little. */
const storage = new AsyncLocalStorage<Unit>();

export function createUnits({ collection, onCall }: { collection: OidcCollection; onCall: OnCall }): Units {
  const current = (): Unit | undefined => {
    const unit = storage.getStore();
    return unit?.collection !== collection || unit.isClosed ? undefined : unit;
  };
  return {
    current,
    run(work) {
      const unit = new Unit(collection, onCall);
      return storage.run(unit, async () => {
        try {
          return await work(unit);
        } finally {
          unit.close();
        }
      });
    },
    account: (id) => current()?.accounts.get(id),
    lookAgain: () => current()?.lookAgain(),
    async onceWritten(work) {
      const unit = current();
      if (unit) unit.afterwards(work);
      else await work();
    },
  };
}
