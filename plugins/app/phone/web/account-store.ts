import type { DeviceKey } from './device-key.js';
import type { CodeSettings } from './one-time-code.js';
import type { DeviceState } from './protocol.js';

/** One account on this phone. */
export interface PhoneAccount {
  /** The device id that the server gave. */
  id: string;
  key: DeviceKey;
  code: CodeSettings;
  login: string;
  name: string;
  issuerName: string;
  /** What the person calls this phone. */
  label?: string;
  state: 'pending' | 'active';
  /** As the server last said. */
  push?: DeviceState['push'];
  /** ISO 8601: until when the pairing waits. */
  expiresAt: string;
  /** The server has said more than once that it does not know this phone. */
  isRefused?: boolean;
}

/** What this phone keeps: keys in it can be used, never read. */
export interface AccountStore {
  all(): Promise<PhoneAccount[]>;
  put(account: PhoneAccount): Promise<void>;
  remove(id: string): Promise<void>;
  /** The server's time minus the phone's, in milliseconds, as of the last contact. */
  clockOffset(): Promise<number | undefined>;
  keepClockOffset(offsetMs: number): Promise<void>;
  /** BCP 47; undefined while nobody has chosen one. */
  language(): Promise<string | undefined>;
  keepLanguage(language: string): Promise<void>;
}

const ACCOUNTS = 'accounts';
const CLOCK = 'clock';
const SETTINGS = 'settings';

const settled = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @throws DOMException when the browser keeps nothing */
export async function openAccountStore(): Promise<AccountStore> {
  const opening = indexedDB.open('countersign', 2);
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) {
      opening.result.createObjectStore(ACCOUNTS, { keyPath: 'id' });
      opening.result.createObjectStore(CLOCK);
    }
    opening.result.createObjectStore(SETTINGS);
  };
  const database = await settled(opening);
  // A newer app in another tab may change the shape of it.
  database.onversionchange = () => database.close();
  const read = (name: string): IDBObjectStore => database.transaction(name).objectStore(name);
  /** Strict: a key that the server trusts must not be lost with the battery. */
  const write = async (name: string, change: (store: IDBObjectStore) => void): Promise<void> => {
    const transaction = database.transaction(name, 'readwrite', { durability: 'strict' });
    change(transaction.objectStore(name));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  };
  return {
    all: () => settled(read(ACCOUNTS).getAll() as IDBRequest<PhoneAccount[]>),
    put: (account) => write(ACCOUNTS, (store) => store.put(account)),
    remove: (id) => write(ACCOUNTS, (store) => store.delete(id)),
    clockOffset: () => settled(read(CLOCK).get('offset') as IDBRequest<number | undefined>),
    keepClockOffset: (offsetMs) => write(CLOCK, (store) => store.put(offsetMs, 'offset')),
    language: () => settled(read(SETTINGS).get('language') as IDBRequest<string | undefined>),
    keepLanguage: (language) => write(SETTINGS, (store) => store.put(language, 'language')),
  };
}
