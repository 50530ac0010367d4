import { type CryptoKey, importJWK } from 'jose';
import { DeviceClient } from '../../examples/device-cli/client.js';
import { Connection } from '../../examples/device-cli/connection.js';
import type { Account } from '../../src/accounts/contract.js';
import type { TestApp } from '../support/app.js';

const ORIGIN = { requestId: 'pairing-of-the-test', browser: 'browser-of-the-test' };

/** Pairs a phone: the page through the engine, the phone over HTTP by the protocol's reference client. */
export async function pairPhone({ app, issuer }: Pick<TestApp, 'app' | 'issuer'>, account: Account, now = Date.now) {
  const step = await app.engine.beginEnrolment(account, 'app', ORIGIN);
  const client = await DeviceClient.create(issuer, { now });
  const { digits } = await client.pair({ code: String(step?.locals.pairHref).split('#')[1] ?? '' }, { model: 'Pixel' });
  const result = await app.engine.confirmEnrolment(account, 'app', { digits }, ORIGIN);
  if (result.status !== 'enrolled') throw new Error(`not paired: ${JSON.stringify(result)}`);
  return client;
}

/** What the reference client has no words for: any signed request of this phone. */
export async function requestsOf(client: DeviceClient, fetch = globalThis.fetch) {
  const { key, issuer } = client.toStored();
  const privateKey = (await importJWK(key, 'ES256')) as CryptoKey;
  const kid = () => client.deviceId ?? '';
  const connection = new Connection({ issuer, key: privateKey, kid }, { fetch, now: Date.now });
  return (path: string, content: object) => connection.post(path, content, kid());
}
