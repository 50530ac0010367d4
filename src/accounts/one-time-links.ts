import { type Clock, inSeconds } from '../platform/clock.js';
import { type Database, isDuplicateKey, type Unit } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { SecretBox } from '../platform/secret-box.js';

export const LINK_PURPOSES = ['invitation', 'password_reset', 'confirm_email', 'not_me'] as const;
export type LinkPurpose = (typeof LINK_PURPOSES)[number];

/** Tokens of links in mails: 256 bits, stored only as a keyed hash, good once. Wrong, used, expired and replaced ones are all undefined. */
export interface OneTimeLinks {
  /**
   * The token; it replaces the account's earlier one of this purpose, except `not_me`, since each notice stays answerable.
   * @param unit stores it together with what it is for, or not at all.
   */
  create(purpose: LinkPurpose, accountId: string, ttlSeconds: number, unit?: Unit): Promise<string>;
  /** For the page that the link opens: mail scanners fetch it too, so it uses nothing up. */
  find(purpose: LinkPurpose, token: string): Promise<OneTimeLink | undefined>;
  /** For the button on that page. */
  consume(purpose: LinkPurpose, token: string): Promise<OneTimeLink | undefined>;
}

export interface OneTimeLink {
  accountId: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface LinkDocument extends OneTimeLink {
  _id: string;
  purpose: LinkPurpose;
  tokenHash: string;
  usedAt?: Date;
}

export const LINKS_COLLECTION = 'one_time_links';

export function createOneTimeLinks({
  database,
  clock,
  random,
  secretBox,
}: {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
}): OneTimeLinks {
  const links = database.collection<LinkDocument>(LINKS_COLLECTION);
  const hashOf = (purpose: LinkPurpose, token: string) => secretBox.index(token, `one-time-link/${purpose}`);
  const usable = (purpose: LinkPurpose, token: string) => ({
    tokenHash: hashOf(purpose, token),
    purpose,
    usedAt: { $exists: false },
    expiresAt: { $gt: clock.now() },
  });
  const shown = (found: LinkDocument | null): OneTimeLink | undefined =>
    found ? { accountId: found.accountId, createdAt: found.createdAt, expiresAt: found.expiresAt } : undefined;

  return {
    async create(purpose, accountId, ttlSeconds, unit) {
      const token = random.token(256);
      const tokenHash = hashOf(purpose, token);
      const createdAt = clock.now();
      // One document per account and purpose: of two made at once exactly one is left.
      const _id = `${purpose}:${purpose === 'not_me' ? tokenHash : accountId}`;
      const link = { purpose, accountId, tokenHash, createdAt, expiresAt: inSeconds(createdAt, ttlSeconds) };
      const store = () => links.replaceOne({ _id }, link, { upsert: true, ...(unit ? { session: unit.session } : {}) });
      await store().catch((error: unknown) => {
        if (unit || !isDuplicateKey(error)) throw error;
        return store();
      });
      return token;
    },

    find: async (purpose, token) => shown(await links.findOne(usable(purpose, token))),

    consume: async (purpose, token) =>
      shown(await links.findOneAndUpdate(usable(purpose, token), { $set: { usedAt: clock.now() } })),
  };
}
