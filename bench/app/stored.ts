import { createHmac, randomBytes } from 'node:crypto';
import type { mongo } from 'mongoose';
import { Browser } from '../browser.js';
import type { Confirmer } from './people.js';
import type { Begun } from './sign-ins.js';

const COOKIE = 'countersign-interaction';

interface StoredInteraction {
  _id: string;
  payload: { jti: string; cid: string; returnTo: string; lastSubmission: { first_factor: { accountId: string } } };
}

const uidOf = ({ second }: Begun<Confirmer>): string => second.pathname.split('/').at(-1) ?? '';
const token = (): string => randomBytes(32).toString('base64url');

/** Sign-ins as far as the second step, stored as the server has stored this one: their passwords would take longer than all that is measured. */
export async function storeBegun(
  client: mongo.MongoClient,
  like: Begun<Confirmer>,
  people: readonly Confirmer[],
  cookieKey: string,
): Promise<Begun<Confirmer>[]> {
  const stored = client.db('bench').collection<StoredInteraction>('oidc');
  const known = uidOf(like);
  const one = await stored.findOne({ _id: `Interaction:${known}` });
  if (!one) throw new Error('no interaction to go by');
  const made = people.map((person) => {
    const uid = token();
    const { origin } = like.browser;
    const browser = new Browser(origin);
    const signature = createHmac('sha1', cookieKey).update(`${COOKIE}=${uid}`).digest('base64url');
    browser.keep(`${COOKIE}=${uid}; path=/second-factor/${uid}`);
    browser.keep(`${COOKIE}.sig=${signature}; path=/second-factor/${uid}`);
    const { lastSubmission } = one.payload;
    const payload = {
      ...one.payload,
      jti: uid,
      cid: token(),
      returnTo: `${origin}/auth/${uid}`,
      lastSubmission: {
        ...lastSubmission,
        first_factor: { ...lastSubmission.first_factor, accountId: person.accountId },
      },
    };
    return {
      begun: { ...like, person, browser, second: new URL(`/second-factor/${uid}`, origin) },
      interaction: { ...one, _id: `Interaction:${uid}`, payload },
    };
  });
  await stored.insertMany(made.map(({ interaction }) => interaction));
  return made.map(({ begun }) => begun);
}
