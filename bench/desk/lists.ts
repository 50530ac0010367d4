import { randomBytes } from 'node:crypto';
import { importJWK, type JWK as JoseKey, SignJWT } from 'jose';
import inject from 'light-my-request';
import type { mongo } from 'mongoose';
import type { JWK } from 'oidc-provider';
import { searchWords } from '../../src/accounts/search-words.js';
import { SCOPES } from '../../src/admin/index.js';
import type { App } from '../../src/app.js';
import { quantile } from '../measure.js';
import { ACCOUNTS, CLIENT_ID, PAGE, READS } from './settings.js';

export interface ListResult {
  name: string;
  p50CpuMs: number;
  p99CpuMs: number;
  p99Ms: number;
}

const GROUPS = ['sales', 'support', 'finance', 'research', 'works'];
const NAMES = ['Anna', 'Ben', 'Cleo', 'Dora', 'Emil', 'Fay', 'Gus', 'Hana', 'Ivo', 'Jana'];
const BATCH = 5_000;

/** A company of a hundred thousand, with an audit as long. */
export async function fillDirectory(db: mongo.Db): Promise<void> {
  const start = Date.now() - ACCOUNTS * 1000;
  for (let from = 0; from < ACCOUNTS; from += BATCH) {
    const numbers = Array.from({ length: BATCH }, (_, n) => from + n);
    await db.collection<{ _id: string }>('accounts').insertMany(
      numbers.map((n) => {
        const login = `person${n}@bench.example`;
        const name = `${NAMES[n % NAMES.length]} Number${n}`;
        const at = new Date(start + n * 1000);
        return {
          _id: randomBytes(16).toString('hex'),
          login,
          name,
          email: login,
          groups: [GROUPS[n % GROUPS.length] ?? 'works'],
          active: n % 50 !== 0,
          createdAt: at,
          updatedAt: at,
          searchWords: searchWords({ login, name, email: login }),
          coverage:
            n % 3 === 0
              ? { covered: false, level: '1fa', methods: [] }
              : { covered: true, level: '2fa', methods: ['totp'] },
        };
      }),
    );
    await db.collection<{ _id: string }>('audit_events').insertMany(
      numbers.map((n) => ({
        _id: `${(start + n * 1000).toString(16).padStart(12, '0')}${n.toString(16).padStart(8, '0')}${randomBytes(8).toString('hex')}`,
        type: n % 4 === 0 ? 'authn_login_fail' : 'authn_login_success',
        accountId: `account-${n % 1000}`,
        actor: { type: 'account', id: `account-${n % 1000}` },
        at: new Date(start + n * 1000),
        details: { method: 'totp' },
      })),
    );
  }
}

/** A token as the issuer makes it, for an owner who signed in a moment ago. */
async function tokenFor(app: App, issuer: string, jwks: readonly JWK[]): Promise<string> {
  const created = await app.accounts.create({ login: 'owner@bench.example', name: 'Owner', roles: ['owner'] });
  if (!created.ok) throw new Error(created.reason);
  const jwk = jwks.find(({ alg }) => alg === 'ES256');
  if (!jwk) throw new Error('no key');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    client_id: CLIENT_ID,
    scope: SCOPES.join(' '),
    acr: 'urn:countersign:acr:2fa',
    auth_time: now,
    session_uid: 'bench',
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...(jwk.kid ? { kid: jwk.kid } : {}) })
    .setIssuer(issuer)
    .setAudience(`${issuer}/api/v1`)
    .setSubject(created.account.id)
    .setJti(randomBytes(16).toString('hex'))
    .setIssuedAt(now)
    .setExpirationTime(now + 3600)
    .sign(await importJWK(jwk as JoseKey, 'ES256'));
}

/** Pages of lists, one after the other: what each costs this process, all its threads included. */
export async function measureLists(app: App, issuer: string, jwks: readonly JWK[]): Promise<ListResult[]> {
  const handle = app.koa.callback();
  const token = await tokenFor(app, issuer, jwks);
  const { host } = new URL(issuer);
  const read = async (path: string): Promise<{ items: unknown[]; next?: string }> => {
    const answer = await inject(handle as never, {
      method: 'GET',
      url: `/api/v1${path}`,
      headers: { host, authorization: `Bearer ${token}`, accept: 'application/json' },
    });
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${answer.payload}`);
    return answer.json();
  };

  const measure = async (name: string, pathOf: (n: number) => string): Promise<ListResult> => {
    const cpu: number[] = [];
    const wall: number[] = [];
    for (let n = 0; n < 2 * READS; n += 1) {
      const path = pathOf(n);
      const [before, began] = [process.cpuUsage(), performance.now()];
      await read(path);
      const { user, system } = process.cpuUsage(before);
      if (n < READS) continue;
      cpu.push((user + system) / 1000);
      wall.push(performance.now() - began);
    }
    return { name, p50CpuMs: quantile(cpu, 0.5), p99CpuMs: quantile(cpu, 0.99), p99Ms: quantile(wall, 0.99) };
  };

  /** Cursors far into a list: the last page must cost what the first one does. */
  const deep = async (path: string, pages: number): Promise<string[]> => {
    const cursors: string[] = [];
    let cursor = '';
    for (let n = 0; n < pages; n += 1) {
      const { next } = await read(`${path}limit=200${cursor ? `&cursor=${cursor}` : ''}`);
      if (!next) break;
      cursor = next;
      cursors.push(next);
    }
    return cursors.slice(-50);
  };

  const page = `limit=${PAGE}`;
  const far = await deep('/accounts?', 300);
  const farEvents = await deep('/audit-events?', 100);
  const word = (n: number): string => `${NAMES[n % NAMES.length]?.toLowerCase()}`;
  return [
    await measure('accounts', () => `/accounts?${page}`),
    await measure('accounts, 60,000 down the list', (n) => `/accounts?${page}&cursor=${far[n % far.length]}`),
    await measure('accounts by a word', (n) => `/accounts?${page}&q=${word(n)}`),
    await measure('accounts by two words', (n) => `/accounts?${page}&q=${word(n)}+number${n}`),
    await measure('accounts of a group', (n) => `/accounts?${page}&group=${GROUPS[n % GROUPS.length]}`),
    await measure('accounts not covered', () => `/accounts?${page}&covered=false`),
    await measure('audit', () => `/audit-events?${page}`),
    await measure('audit, far back', (n) => `/audit-events?${page}&cursor=${farEvents[n % farEvents.length]}`),
    await measure('audit of one type', () => `/audit-events?${page}&type=authn_login_fail`),
    await measure('recovery requests', () => `/recovery-requests?${page}`),
    await measure('suspensions', () => `/suspensions?${page}`),
  ];
}
