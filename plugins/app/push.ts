/** Waking phones by Web Push (RFC 8030, 8291, 8292): the only importer of web-push. */
import { ECDH } from 'node:crypto';
import webPush from 'web-push';
import { z } from 'zod';
import { type FactorDeps, type FactorRecord, inSeconds, type MethodKeys } from '../../src/factors/contract.js';
import { type AppData, type Device, isDevice, openFor, sealFor } from './data.js';
import { type Endpoint, endpoint } from './device-api.js';
import { ok, problem } from './envelope.js';
import { createPushKeys, type PushKeys } from './push-keys.js';
import { createPushAddresses, type PushOptions } from './push-options.js';

/** As long as a sign-in waits. */
const TTL_SECONDS = 120;
const TIMEOUT_MS = 5_000;
/** Whoever reads it learns nothing; the phone asks what waits. */
const MESSAGE = JSON.stringify({ type: 'sign-in-waiting' });
/** A later message takes the place of one that has not arrived (RFC 8030 section 5.4). */
const TOPIC = 'sign-in-waiting';
/** RFC 8030 section 7.3: the subscription is over. */
const GONE = new Set([404, 410]);
const isForLater = (status: number): boolean => status === 429 || status >= 500;

/** What stands in the outbox: no address and no key. */
interface WakeUp {
  wake: string;
  /** ISO 8601; afterwards nobody waits any more. */
  until: string;
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'base64url');

/** An uncompressed point on P-256 (RFC 8291 section 3.1). */
function isPoint(text: string): boolean {
  const point = bytesOf(text);
  if (point.length !== 65) return false;
  try {
    ECDH.convertKey(point, 'prime256v1');
    return true;
  } catch {
    return false;
  }
}

const base64url = (bytes: number) =>
  z
    .string()
    .regex(/^[\w-]{1,100}$/)
    .refine((text) => bytesOf(text).length === bytes);

/** A PushSubscription as browsers write it; what else they write is not kept. */
const subscriptionSchema = z.object({
  endpoint: z.string(),
  keys: z.object({ p256dh: base64url(65).refine(isPoint), auth: base64url(16) }),
});
type Subscription = z.output<typeof subscriptionSchema>;

export interface Push {
  readonly keys: MethodKeys;
  /** What phones subscribe to (base64url), and how things stand with one: `failing` asks it to subscribe anew. */
  tell(phone: FactorRecord<AppData>): Promise<{ publicKey: string; state: 'none' | 'working' | 'failing' }>;
  /** `/push`: a phone says where to wake it. */
  endpoint: Endpoint;
  /** Has phones told that a sign-in waits. Call it once for each challenge: it counts nothing. */
  wake(accountId: string, deviceIds: readonly string[]): Promise<void>;
  /** Does what `wake` has put in the outbox: see `Factor.deliver`. */
  deliver(payload: unknown): Promise<void>;
}

export function createPush(options: PushOptions, deps: FactorDeps<AppData>): Push {
  const { clock, factors, issuer, logger, post, postOutside, secretBox } = deps;
  const keys = createPushKeys(deps, () => webPush.generateVAPIDKeys());
  const addresses = createPushAddresses(options);
  const { protocol, hostname } = new URL(issuer);
  const subject = options.contact ?? (protocol === 'https:' ? issuer : `mailto:push@${hostname}`);

  const requestFor = async (subscription: Subscription, pair: PushKeys) => {
    const { headers, body } = webPush.generateRequestDetails(subscription, MESSAGE, {
      vapidDetails: { subject, ...pair },
      TTL: TTL_SECONDS,
      urgency: 'high',
      topic: TOPIC,
    });
    const texts = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
    return { headers: Object.fromEntries(texts) as Record<string, string>, body };
  };

  const drop = (device: Device, sealed: string) =>
    factors.update(
      device.accountId,
      device._id,
      { 'data.push.subscription': sealed },
      { $set: { 'data.push': { state: 'failing' } } },
    );

  const send = async (device: Device, sealed: string): Promise<void> => {
    const about = { method: 'app', deviceId: device._id };
    const subscription = JSON.parse(openFor(secretBox, device, 'push', sealed).toString()) as Subscription;
    const url = addresses.read(subscription.endpoint);
    if (!url) return logger.warn({ ...about, reason: 'address' }, 'push message not sent');
    const pair = await keys.of(device.data.push?.key);
    if (!pair) {
      await drop(device, sealed);
      return logger.info({ ...about, reason: 'key' }, 'push subscription is over');
    }
    const { headers, body } = await requestFor(subscription, pair);
    const status = await postOutside(url, body, {
      headers,
      timeoutMs: TIMEOUT_MS,
      isAnywhere: addresses.isPrivate(url),
    });
    if (status >= 200 && status < 300) return;
    if (GONE.has(status)) {
      await drop(device, sealed);
      return logger.info({ ...about, status }, 'push subscription is over');
    }
    if (isForLater(status)) throw Object.assign(new Error('the push service is busy'), { code: `STATUS_${status}` });
    logger.warn({ ...about, status }, 'push message not taken');
  };

  return {
    keys,

    async tell({ data: { push } }) {
      const { publicKey } = await keys.current();
      const isForAnother = push?.state === 'working' && (await keys.of(push.key))?.publicKey !== publicKey;
      return { publicKey, state: isForAnother ? 'failing' : (push?.state ?? 'none') };
    },

    endpoint: endpoint({
      path: '/push',
      body: z.strictObject({ subscription: subscriptionSchema.nullable() }),
      async handle({ device, body: { subscription } }) {
        if (subscription && !addresses.read(subscription.endpoint)) return problem('BAD_REQUEST');
        const push = subscription && {
          subscription: sealFor(secretBox, device, 'push', JSON.stringify(subscription)),
          state: 'working' as const,
          key: (await keys.current()).publicKey,
        };
        const { accountId, _id } = device;
        const kept = await factors.update(accountId, _id, { state: 'active' }, { $set: { 'data.push': push } });
        return kept ? ok({ push: { state: push?.state ?? 'none' } }) : problem('REFUSED');
      },
    }),

    async wake(accountId, deviceIds) {
      const until = inSeconds(clock.now(), TTL_SECONDS).toISOString();
      await Promise.all(deviceIds.map((wake) => post(accountId, { wake, until } satisfies WakeUp)));
    },

    async deliver(payload) {
      const { wake, until } = payload as WakeUp;
      if (new Date(until) <= clock.now()) return;
      const device = await factors.findById(wake);
      const sealed = device?.data.push?.subscription;
      if (!device || !isDevice(device) || device.state !== 'active' || !sealed) return;
      await send(device, sealed);
    },
  };
}
