import { z } from 'zod';
import {
  type ApiAnswer,
  type ApiRequest,
  type FactorDeps,
  ipSubject,
  LABEL_MAX_LENGTH,
  normaliseLabel,
  type ThrottleRule,
} from '../../src/factors/contract.js';
import { type AppData, type Device, openFor, PLATFORMS } from './data.js';
import { ok, problem, readJson, tooMany } from './envelope.js';
import { canonicalLogin, type Pairings } from './pairing.js';
import type { RequestAuth } from './request-auth.js';

const WINDOW_SECONDS = 600;
/** Of one address; an office may be behind one, and only what was no code of ours counts on. */
const PER_ADDRESS: ThrottleRule = { counter: 'pairing', limit: 60, windowSeconds: WINDOW_SECONDS };
/** For one login, from wherever: 39 bits stay far away. */
const PER_LOGIN: ThrottleRule = { counter: 'pairing', limit: 20, windowSeconds: WINDOW_SECONDS };

/** 32 bytes, written the one way that there is: else one key would have several thumbprints. */
const coordinate = z
  .string()
  .regex(/^[\w-]{43}$/)
  .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text);

const phone = {
  key: z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate }),
  model: z
    .string()
    .max(200)
    .transform((model, ctx) => {
      const label = normaliseLabel([...model].slice(0, LABEL_MAX_LENGTH).join('').slice(0, LABEL_MAX_LENGTH));
      if (label === undefined) ctx.addIssue('nothing usable is left');
      return label ?? z.NEVER;
    }),
  platform: z.enum(PLATFORMS),
};
export const pairingBody = z.union([
  z.strictObject({ code: z.string().regex(/^[\w-]{43}$/), ...phone }),
  z.strictObject({ login: z.string().min(1).max(254), typedCode: z.string().min(1).max(64), ...phone }),
]);

/** The values of the codes without a network (RFC 6238). */
const OFFLINE = { algorithm: 'SHA1', digits: 6, periodSeconds: 30 };

/** A phone presents its key and a code of a page: `POST /pairing`. */
export function createPair({
  auth,
  clock,
  findAccount,
  issuerName,
  logger,
  pairings,
  secretBox,
  throttle,
}: FactorDeps<AppData> & { auth: RequestAuth; pairings: Pairings }) {
  const answerFor = (device: Device, account: { login: string; name: string }): ApiAnswer => {
    const { expiresAt, data } = device;
    return ok({
      deviceId: device._id,
      state: 'pending',
      issuerName,
      account: { login: account.login, name: account.name },
      offline: {
        secret: openFor(secretBox, device, 'offline', data.offlineSecret ?? '').toString('base64url'),
        ...OFFLINE,
      },
      expiresAt: expiresAt?.toISOString(),
    });
  };

  return async (request: ApiRequest): Promise<ApiAnswer> => {
    const read = pairingBody.safeParse(readJson(request));
    if (!read.success) return problem('BAD_REQUEST');
    const { key, model, platform, ...ticket } = read.data;
    const limits = [
      ...(request.ip ? [{ subject: `app:${ipSubject(request.ip)}`, rule: PER_ADDRESS }] : []),
      ...('login' in ticket
        ? [{ subject: `app:login:${secretBox.index(canonicalLogin(ticket.login), 'app-login')}`, rule: PER_LOGIN }]
        : []),
    ];
    const full = async (take: 'peek' | 'reserve'): Promise<ApiAnswer | undefined> => {
      for (const { subject, rule } of limits) {
        const reservation = await throttle[take](subject, [rule]);
        if (reservation.reserved) continue;
        const { retryAt } = reservation;
        return tooMany(retryAt ? (retryAt.getTime() - clock.now().getTime()) / 1000 : WINDOW_SECONDS);
      }
      return undefined;
    };
    // First: whoever has no code could have any number of requests remembered, each by a key made for it.
    const refused = await full('peek');
    if (refused) return refused;
    const authenticated = await auth.authenticateKey(request, key);
    if (!('thumbprint' in authenticated)) return authenticated;
    const tooLate = await full('reserve');
    if (tooLate) return tooLate;

    const hash = pairings.hashOf(ticket);
    const place = hash && (await pairings.find(Object.values(hash)[0] ?? ''));
    const account = place && (await findAccount(place.accountId));
    const { thumbprint } = authenticated;
    const device =
      account && (await pairings.claim(place, hash, { key: { x: key.x, y: key.y }, thumbprint, model, platform }));
    const { requestId } = request;
    if (!device) {
      logger.info({ method: 'app', reason: place ? 'claimed or over' : 'unknown code', requestId }, 'pairing refused');
      return problem('REFUSED');
    }
    logger.info(
      { method: 'app', accountId: account.id, deviceId: device._id, requestId },
      'pairing claimed by a phone',
    );
    await throttle.settleAll(limits.map(({ subject, rule }) => ({ subject, release: [rule.counter] })));
    return answerFor(device, account);
  };
}
