import type { Context } from 'koa';
import type { Role } from '../../accounts/contract.js';
import type { CookieSettings } from '../../http/index.js';
import { type Clock, inSeconds } from '../../platform/clock.js';
import type { Database, EnsureIndexes } from '../../platform/database.js';
import type { Random } from '../../platform/random.js';
import type { SealedPlace } from '../../platform/sealed-places.js';
import type { SecretBox } from '../../platform/secret-box.js';

const COLLECTION = 'console_sessions';

/** OWASP ASVS 5.0 7.3: without a click for this long, and from the sign-in on, whatever is done. */
const IDLE_SECONDS = 3600;
const OVERALL_SECONDS = 12 * 3600;
/** The last click is written down at most this often. */
const TOUCH_SECONDS = 60;
/** One request to the token endpoint at a time; a node that dies in it holds the others up for no longer. */
const LEASE_SECONDS = 10;
const MOST_FORMS = 5;

/** What the issuer gave, and what it says of the person. */
export interface ConsoleTokens {
  accessToken: string;
  /** ISO 8601. */
  accessEndsAt: string;
  refreshToken?: string;
  idToken: string;
  scopes: string[];
  roles: Role[];
  name: string;
}

/** A form that waits for its sender to confirm who they are. */
export interface HeldForm {
  /** The form's own path: it opens nowhere else. */
  path: string;
  values: Readonly<Record<string, string>>;
}

interface StoredSession {
  /** Keyed hash of the cookie. */
  _id: string;
  accountId: string;
  signedInAt: Date;
  lastSeenAt: Date;
  /** TTL broom; what counts is compared in the query. */
  expiresAt: Date;
  /** Sealed: whoever reads the database is signed in nowhere. */
  tokens: string;
  /** Until then, one request renews the tokens and the others wait for it. */
  renewalUntil?: Date;
  forms: Record<string, { sealed: string; at: Date }>;
}

export interface WebSession {
  id: string;
  accountId: string;
  tokens: ConsoleTokens;
}

/** The console's own sessions; the issuer's are another matter, and end these when they end. */
export interface WebSessions {
  find(ctx: Context): Promise<WebSession | undefined>;
  /** A new session under a new cookie; forms held for the same account come along, the old session is gone. */
  begin(ctx: Context, accountId: string, tokens: ConsoleTokens): Promise<void>;
  end(ctx: Context): Promise<void>;
  /**
   * Lets one caller at a time renew the tokens.
   * @param stale the access token that is over.
   * @returns the tokens as they are afterwards; undefined when the session is over.
   */
  renew(
    session: WebSession,
    stale: string,
    work: (tokens: ConsoleTokens) => Promise<ConsoleTokens | undefined>,
  ): Promise<ConsoleTokens | undefined>;
  /** @returns under which id `heldForm` finds it. */
  hold(session: WebSession, form: HeldForm): Promise<string>;
  heldForm(session: WebSession, id: string, path: string): Promise<HeldForm['values'] | undefined>;
  dropForm(session: WebSession, id: string): Promise<void>;
}

export const ensureIndexes: EnsureIndexes = async (database) => {
  await database.collection<StoredSession>(COLLECTION).createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
};

const tokensContext = (id: string): string => `console/${id}/tokens`;
const formContext = (accountId: string, id: string): string => `console/${accountId}/form/${id}`;

export const SEALED: readonly SealedPlace<StoredSession>[] = [
  {
    collection: COLLECTION,
    fields: ['accountId', 'tokens', 'forms'],
    valuesIn: ({ _id, accountId, tokens, forms }) => [
      { path: 'tokens', sealed: tokens, context: tokensContext(_id) },
      ...Object.entries(forms ?? {}).map(([formId, { sealed }]) => ({
        path: `forms.${formId}.sealed`,
        sealed,
        context: formContext(accountId, formId),
      })),
    ],
  },
];

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const orRelease = <T>(work: Promise<T>, release: () => Promise<unknown>): Promise<T> =>
  work.catch(async (error: unknown) => {
    await release();
    throw error;
  });
/** The console's script keeps a page up to date without anybody sitting in front of it, and says so. */
const isByHand = (ctx: Context): boolean =>
  ctx.get('x-live') === '' && ctx.accepts('html', 'text/event-stream') === 'html';

export function createWebSessions(deps: {
  database: Database;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  cookies: CookieSettings;
}): WebSessions {
  const { clock, random, secretBox, cookies } = deps;
  const sessions = deps.database.collection<StoredSession>(COLLECTION);
  const cookieName = cookies.name('console');
  const hashOf = (cookie: string): string => secretBox.index(cookie, 'console-session');
  const cookieOf = (ctx: Context): string | undefined => ctx.cookies.get(cookieName, { signed: false }) || undefined;

  const alive = (_id: string) => ({
    _id,
    lastSeenAt: { $gt: inSeconds(clock.now(), -IDLE_SECONDS) },
    signedInAt: { $gt: inSeconds(clock.now(), -OVERALL_SECONDS) },
  });
  const seal = (id: string, tokens: ConsoleTokens): string => secretBox.seal(JSON.stringify(tokens), tokensContext(id));
  const open = (id: string, sealed: string): ConsoleTokens =>
    JSON.parse(secretBox.open(sealed, tokensContext(id)).toString('utf8')) as ConsoleTokens;

  return {
    async find(ctx) {
      const cookie = cookieOf(ctx);
      if (!cookie) return undefined;
      const id = hashOf(cookie);
      const found = await sessions.findOne(alive(id), { projection: { forms: 0 } });
      if (!found) return undefined;
      const now = clock.now();
      if (isByHand(ctx) && found.lastSeenAt < inSeconds(now, -TOUCH_SECONDS))
        await sessions.updateOne({ _id: id }, { $max: { lastSeenAt: now } });
      return { id, accountId: found.accountId, tokens: open(id, found.tokens) };
    },

    async begin(ctx, accountId, tokens) {
      const before = cookieOf(ctx);
      const old = before ? await sessions.findOneAndDelete(alive(hashOf(before))) : null;
      const cookie = random.token(256);
      const id = hashOf(cookie);
      const now = clock.now();
      await sessions.insertOne({
        _id: id,
        accountId,
        signedInAt: now,
        lastSeenAt: now,
        expiresAt: inSeconds(now, OVERALL_SECONDS),
        tokens: seal(id, tokens),
        forms: old?.accountId === accountId ? old.forms : {},
      });
      ctx.cookies.set(cookieName, cookie, { ...cookies.options, signed: false });
    },

    async end(ctx) {
      const cookie = cookieOf(ctx);
      if (!cookie) return;
      await sessions.deleteOne({ _id: hashOf(cookie) });
      ctx.cookies.set(cookieName, null, { ...cookies.options, signed: false });
    },

    async renew({ id }, stale, work) {
      for (let tries = 0; tries < LEASE_SECONDS * 10; tries += 1) {
        const now = clock.now();
        const found = await sessions.findOneAndUpdate(
          { ...alive(id), $or: [{ renewalUntil: { $exists: false } }, { renewalUntil: { $lt: now } }] },
          { $set: { renewalUntil: inSeconds(now, LEASE_SECONDS) } },
        );
        if (found) {
          const current = open(id, found.tokens);
          // Somebody was faster: a refresh token used twice would end the whole family (RFC 9700 4.14.2).
          const release = () => sessions.updateOne({ _id: id }, { $unset: { renewalUntil: '' } });
          const renewed = current.accessToken === stale ? await orRelease(work(current), release) : current;
          if (renewed) {
            const update = { $set: { tokens: seal(id, renewed) }, $unset: { renewalUntil: '' as const } };
            await sessions.updateOne({ _id: id }, update);
          } else await sessions.deleteOne({ _id: id });
          return renewed;
        }
        if (!(await sessions.findOne(alive(id), { projection: { _id: 1 } }))) return undefined;
        await pause(100);
      }
      return undefined;
    },

    async hold({ id, accountId }, form) {
      const formId = random.token(96);
      const held = { sealed: secretBox.seal(JSON.stringify(form), formContext(accountId, formId)), at: clock.now() };
      const found = await sessions.findOneAndUpdate(
        { _id: id },
        { $set: { [`forms.${formId}`]: held } },
        { returnDocument: 'after', projection: { forms: 1 } },
      );
      const oldest = Object.entries(found?.forms ?? {})
        .sort(([, a], [, b]) => b.at.getTime() - a.at.getTime())
        .slice(MOST_FORMS);
      if (oldest.length > 0)
        await sessions.updateOne(
          { _id: id },
          { $unset: Object.fromEntries(oldest.map(([name]) => [`forms.${name}`, ''])) },
        );
      return formId;
    },

    async heldForm({ id, accountId }, formId, path) {
      if (!/^[\w-]{1,32}$/.test(formId)) return undefined;
      const found = await sessions.findOne({ _id: id }, { projection: { [`forms.${formId}`]: 1 } });
      const sealed = found?.forms?.[formId]?.sealed;
      if (!sealed) return undefined;
      const form = JSON.parse(secretBox.open(sealed, formContext(accountId, formId)).toString('utf8')) as HeldForm;
      return form.path === path ? form.values : undefined;
    },

    async dropForm({ id }, formId) {
      if (/^[\w-]{1,32}$/.test(formId)) await sessions.updateOne({ _id: id }, { $unset: { [`forms.${formId}`]: '' } });
    },
  };
}
