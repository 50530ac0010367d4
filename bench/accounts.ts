import { randomBytes } from 'node:crypto';
import type { mongo } from 'mongoose';
import { secretContext } from '../plugins/totp/data.js';
import { toBase32 } from '../plugins/totp/one-time-code.js';
import { searchWords } from '../src/accounts/search-words.js';
import type { Secrets } from '../src/config/index.js';
import { createSecretBox } from '../src/platform/secret-box.js';
import { slowHash } from '../src/platform/slow-hash.js';
import { PASSWORD } from './settings.js';

export interface BenchAccount {
  login: string;
  /** Base32. */
  secret: string;
}

/** OWASP's third setting of argon2id, the server's own default. */
export const PASSWORD_HASH = { memoryKiB: 7168, passes: 5 };

interface NewAccount {
  login: string;
  accountId: string;
  factorId: string;
  secret: Buffer;
}

/** As many as one message to the database holds with ease. */
const BATCH = 5_000;

/** Accounts with password and authenticator as our server stores them: written in bulk, with one hash for all. */
export async function fillOurs(
  db: mongo.Db,
  { count, secrets }: { count: number; secrets: Secrets },
): Promise<BenchAccount[]> {
  const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
  const hash = await slowHash(PASSWORD, PASSWORD_HASH);
  const now = new Date();
  const accountOf = ({ login, accountId }: NewAccount) => ({
    _id: accountId,
    login,
    name: login,
    groups: [],
    active: true,
    createdAt: now,
    updatedAt: now,
    password: { hash, changedAt: now },
    searchWords: searchWords({ login, name: login }),
    coverage: { covered: true, level: '2fa', methods: ['totp'] },
  });
  const factorOf = ({ accountId, factorId, secret }: NewAccount) => ({
    _id: factorId,
    accountId,
    method: 'totp',
    state: 'active',
    label: 'Authenticator',
    createdAt: now,
    activatedAt: now,
    data: { secret: secretBox.seal(secret, secretContext({ _id: factorId, accountId })), lastStep: -1 },
  });
  const all: BenchAccount[] = [];
  while (all.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - all.length) }, (_, index) => ({
      login: `user${all.length + index}@bench.example`,
      accountId: randomBytes(16).toString('hex'),
      factorId: randomBytes(16).toString('base64url'),
      secret: randomBytes(20),
    }));
    await db.collection<{ _id: string }>('accounts').insertMany(batch.map(accountOf));
    await db.collection<{ _id: string }>('factors').insertMany(batch.map(factorOf));
    all.push(...batch.map(({ login, secret }) => ({ login, secret: toBase32(secret) })));
  }
  return all;
}

/** The same accounts in the shape that the reference reads. */
export async function fillReference(db: mongo.Db, accounts: readonly BenchAccount[]): Promise<void> {
  const passwordHash = await slowHash(PASSWORD, PASSWORD_HASH);
  await db
    .collection<{ _id: string }>('accounts')
    .insertMany(accounts.map(({ login, secret }) => ({ _id: login, passwordHash, totpSecret: secret, lastStep: -1 })));
}
