import { randomBytes } from 'node:crypto';
import type { mongo } from 'mongoose';
import { secretContext } from '../plugins/totp/data.js';
import { toBase32 } from '../plugins/totp/one-time-code.js';
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

/** The same accounts for both servers, each in the shape its server reads: written in bulk, with one hash for all. */
export async function fillDatabases(
  { ours, reference }: { ours: mongo.Db; reference: mongo.Db },
  { count, secrets }: { count: number; secrets: Secrets },
): Promise<BenchAccount[]> {
  const secretBox = createSecretBox(secrets.sealingKeys, secrets.indexKey);
  const passwordHash = await slowHash(PASSWORD, PASSWORD_HASH);
  const now = new Date();
  const accounts = Array.from({ length: count }, (_, index) => {
    const login = `user${index}@bench.example`;
    const accountId = randomBytes(16).toString('hex');
    const factorId = randomBytes(16).toString('base64url');
    return { login, accountId, factorId, secret: randomBytes(20) };
  });

  await ours.collection<{ _id: string }>('accounts').insertMany(
    accounts.map(({ login, accountId }) => ({
      _id: accountId,
      login,
      name: login,
      groups: [],
      active: true,
      createdAt: now,
      updatedAt: now,
      password: { hash: passwordHash, changedAt: now },
    })),
  );
  await ours.collection<{ _id: string }>('factors').insertMany(
    accounts.map(({ accountId, factorId, secret }) => ({
      _id: factorId,
      accountId,
      method: 'totp',
      state: 'active',
      label: 'Authenticator',
      createdAt: now,
      activatedAt: now,
      data: { secret: secretBox.seal(secret, secretContext({ _id: factorId, accountId })), lastStep: -1 },
    })),
  );
  await reference
    .collection<{ _id: string }>('accounts')
    .insertMany(
      accounts.map(({ login, secret }) => ({ _id: login, passwordHash, totpSecret: toBase32(secret), lastStep: -1 })),
    );
  return accounts.map(({ login, secret }) => ({ login, secret: toBase32(secret) }));
}
