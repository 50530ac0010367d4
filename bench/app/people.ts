import { randomBytes } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { mongo } from 'mongoose';
import type { Secrets } from '../../src/config/index.js';
import { type BenchAccount, fillOurs } from '../accounts.js';

/** What a phone holds of an account. */
export interface BenchPhone {
  deviceId: string;
  privateKey: CryptoKey;
}

export interface Confirmer extends BenchAccount {
  accountId: string;
  phone: BenchPhone;
}

/** Trusted a while ago, and not heard of since: what is noted once a minute is noted in each of their sign-ins. */
const LONG_AGO_MS = 3_600_000;

/** People with a code alone, and people with a phone as well: written in bulk, as the server stores them. */
export async function fillPeople(
  client: mongo.MongoClient,
  { codes, phones, secrets }: { codes: number; phones: number; secrets: Secrets },
): Promise<{ coders: BenchAccount[]; confirmers: Confirmer[] }> {
  const ours = client.db('bench');
  const everybody = await fillOurs(ours, { count: codes + phones, secrets });
  const withPhone = everybody.slice(codes);
  const accounts = await ours
    .collection<{ _id: string; login: string }>('accounts')
    .find({ login: { $in: withPhone.map(({ login }) => login) } }, { projection: { login: 1 } })
    .toArray();
  const idOf = new Map(accounts.map(({ _id, login }) => [login, _id]));
  const heard = new Date(Date.now() - LONG_AGO_MS);
  const made = await Promise.all(
    withPhone.map(async (account) => {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      const { x = '', y = '' } = await exportJWK(publicKey);
      const thumbprint = await calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x, y });
      const accountId = idOf.get(account.login) ?? '';
      const deviceId = randomBytes(16).toString('base64url');
      const factor = {
        _id: deviceId,
        accountId,
        method: 'app',
        state: 'active',
        label: 'Pixel 9',
        createdAt: heard,
        activatedAt: heard,
        data: { key: { x, y }, thumbprint, model: 'Pixel 9', platform: 'android', lastContactAt: heard },
      };
      return { factor, confirmer: { ...account, accountId, phone: { deviceId, privateKey } } };
    }),
  );
  await ours.collection<{ _id: string }>('factors').insertMany(made.map(({ factor }) => factor));
  return { coders: everybody.slice(0, codes), confirmers: made.map(({ confirmer }) => confirmer) };
}
