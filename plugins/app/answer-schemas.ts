/** What phones are answered, for their developers: tests hold every answer against it. */
import { z } from 'zod';

const time = z.iso.datetime({ precision: 3 }).meta({ description: 'UTC, with milliseconds.' });
const serverTime = time.meta({
  description: "The server's time: the difference to the phone's is kept for codes without a network.",
});
const account = z.looseObject({ login: z.string(), name: z.string() });

export const problemAnswer = z.looseObject({
  status: z.int(),
  title: z.string(),
  code: z.enum(['BAD_REQUEST', 'USE_NONCE', 'DEVICE_REFUSED', 'NOT_FOUND', 'REFUSED', 'WRONG_NUMBER', 'TOO_MANY']),
  triesLeft: z.int().min(0).optional().meta({ description: 'With `WRONG_NUMBER`.' }),
  serverTime,
});

/** By the endpoint's path. */
export const ANSWERS: Readonly<Record<string, { id: string; summary: string; schema: z.ZodType; type?: string }>> = {
  '/pairing': {
    id: 'pair',
    summary: 'Makes this phone a pending device of the account whose code it has.',
    schema: z.looseObject({
      deviceId: z.string().max(64),
      state: z.literal('pending'),
      issuerName: z.string(),
      account,
      offline: z.looseObject({
        secret: z.string().meta({ description: 'base64url of 20 bytes.' }),
        algorithm: z.enum(['SHA1', 'SHA256', 'SHA512']),
        digits: z.int(),
        periodSeconds: z.int(),
      }),
      expiresAt: time.meta({ description: 'Until then the digits can be typed.' }),
      serverTime,
    }),
  },
  '/device': {
    id: 'getDevice',
    summary: 'What the server knows of this phone.',
    schema: z.looseObject({
      deviceId: z.string().max(64),
      state: z.enum(['pending', 'active']),
      label: z.string(),
      issuerName: z.string(),
      account,
      push: z.looseObject({
        publicKey: z.string().nullable().meta({ description: 'VAPID (RFC 8292), base64url; null: no push here.' }),
        state: z.enum(['none', 'working', 'failing']),
      }),
      serverTime,
    }),
  },
  '/push': {
    id: 'setPush',
    summary: 'Where to wake this phone, or that it is not to be woken.',
    schema: z.looseObject({ push: z.looseObject({ state: z.enum(['working', 'none']) }), serverTime }),
  },
  '/remove': {
    id: 'removeDevice',
    summary: 'Ends the trust in this phone.',
    schema: z.looseObject({ serverTime }),
  },
  '/challenges': {
    id: 'listChallenges',
    summary: 'Sign-ins that wait for an answer of this account, newest last.',
    schema: z.looseObject({
      challenges: z
        .array(
          z.looseObject({
            id: z.string(),
            details: z.string().meta({ description: 'The text of a JSON object: to be shown, and signed as it came.' }),
            digits: z.int().meta({ description: 'How many the number on the page has.' }),
            createdAt: time,
            expiresAt: time,
          }),
        )
        .max(3),
      serverTime,
    }),
  },
  '/watch': {
    id: 'watch',
    summary: 'Says that what waits is not what it was, for as long as the phone listens.',
    schema: z.string().meta({ description: 'Events `changed` and `revoked`, without data.' }),
    type: 'text/event-stream',
  },
  '/challenges/:id/answer': {
    id: 'answerChallenge',
    summary: 'The decision of the person, signed with the key of this phone.',
    schema: z.looseObject({ outcome: z.enum(['approved', 'postponed', 'denied']), serverTime }),
  },
};
