import { z } from 'zod';
import type { Config } from '../config/index.js';
import type { Database } from '../platform/database.js';
import { keepText } from './texts.js';
import { type Behaviour, startTwilio } from './twilio/index.js';

/** The environment variable that the configuration names for Twilio's secret. */
export const TOKEN_VARIABLE = 'DEMO_TWILIO_AUTH_TOKEN';

/** Numbers that exist in films alone, and what becomes of messages to them; to all others they are delivered. */
export const NUMBERS_IN_TROUBLE: Readonly<Record<string, Behaviour>> = {
  /** Switched off: Twilio takes it, and reports later that it did not arrive. */
  '+12025550161': { errorCode: 30003 },
  /** Its owner has answered STOP. */
  '+12025550162': { errorCode: 21610 },
  /** Twilio does not answer. */
  '+12025550163': { hangs: true },
};

/** As much of the method's options as the stand-in has to agree with. */
const smsOptions = z.object({
  id: z.literal('sms'),
  providers: z.tuple([z.object({ type: z.literal('twilio'), accountSid: z.string(), apiBase: z.url() })], z.unknown()),
});

interface Texting {
  accountSid: string;
  port: number;
}

/** Where the configuration expects Twilio; undefined when texts are not offered. */
export function textingOf(config: Config): Texting | undefined {
  for (const method of config.methods) {
    const { data } = smsOptions.safeParse(method);
    if (!data) continue;
    const [{ accountSid, apiBase }] = data.providers;
    return { accountSid, port: Number(new URL(apiBase).port) };
  }
  return undefined;
}

/** Starts the stand-in of Twilio, whose messages end in the outbox. Returns how it is stopped. */
export async function startTexting(
  { accountSid, port }: Texting,
  { database, authToken }: { database: Database; authToken: string },
): Promise<() => Promise<void>> {
  const twilio = await startTwilio({
    accountSid,
    authToken,
    port,
    onMessage({ sid, to, body, createdAt }) {
      // Stopping the demonstration may cut one short; nobody misses it.
      void keepText(database, { _id: sid, to, text: body, at: createdAt }).catch(() => {});
    },
  });
  for (const [number, behaviour] of Object.entries(NUMBERS_IN_TROUBLE)) twilio.plan(behaviour, number);
  return () => twilio.stop();
}
