import { createHash } from 'node:crypto';
import type Router from '@koa/router';
import type { Clock } from '../../platform/clock.js';
import type { Database, EnsureIndexes } from '../../platform/database.js';
import { readForm } from '../web/form.js';
import { type ShowPage, seeOther } from '../web/pages.js';
import { type AuthenticatorKey, codeAt } from './one-time-code.js';
import { readKey } from './read-key.js';

interface KeptKey extends Omit<AuthenticatorKey, 'key'> {
  _id: string;
  /** Base64. In the clear: this collection is the demonstration's telephone, not the server's. */
  key: string;
  name: string;
  addedAt: Date;
}

const COLLECTION = 'demo_authenticator';
const MOST_KEYS = 50;

export const ensureAuthenticatorIndexes: EnsureIndexes = async (database) => {
  await database.collection(COLLECTION).createIndex({ addedAt: -1 }, { name: 'newest' });
};

/** An authenticator for people without a phone at hand. Its keys outlive a restart, as a phone would. */
export function mountAuthenticator(router: Router, deps: { database: Database; clock: Clock; show: ShowPage }): void {
  const { clock, show } = deps;
  const keys = deps.database.collection<KeptKey>(COLLECTION);

  const list = async () => {
    const kept = await keys.find().sort({ addedAt: -1 }).limit(MOST_KEYS).toArray();
    return kept.map(({ _id, name, key, ...rest }) => {
      const { code, secondsLeft } = codeAt({ ...rest, key: Buffer.from(key, 'base64') }, clock.now());
      const half = Math.ceil(code.length / 2);
      return { id: _id, name, code, shown: `${code.slice(0, half)} ${code.slice(half)}`, secondsLeft };
    });
  };

  router.get('/authenticator', async (ctx) => show(ctx, 'authenticator', { keys: await list() }));

  router.post('/authenticator', async (ctx) => {
    const form = await readForm(ctx, { key: 1024, name: 60 });
    const pasted = readKey(form.key);
    if (!pasted) {
      show(ctx, 'authenticator', { keys: await list(), wrong: form.key, name: form.name }, 422);
      return;
    }
    const { key, issuer, account, ...rest } = pasted;
    const name = form.name.trim() || [issuer, account].filter(Boolean).join(' · ') || 'My key';
    // The same key pasted twice stays one entry.
    await keys.updateOne(
      { _id: createHash('sha256').update(key).digest('base64url') },
      { $setOnInsert: { ...rest, key: key.toString('base64'), name, addedAt: clock.now() } },
      { upsert: true },
    );
    seeOther(ctx, '/authenticator');
  });

  router.post('/authenticator/remove', async (ctx) => {
    const { id } = await readForm(ctx, { id: 200 });
    await keys.deleteOne({ _id: id });
    seeOther(ctx, '/authenticator');
  });
}
