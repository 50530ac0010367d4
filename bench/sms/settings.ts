export const ACCOUNT_SID = 'AC00000000000000000000000000000000';
export const TOKEN_VARIABLE = 'BENCH_TWILIO_TOKEN';
export const AUTH_TOKEN = 'a-token-of-the-bench-alone';

/** How long the stand-in of Twilio takes for an answer while it is slow: as long as we wait for it. */
export const SLOW_MS = 5_000;
/** People who have a code sent: each once, since the next one would have to wait. The code of a press is warm after some hundreds. */
export const WARM_UP = 300;

export interface Load {
  name: string;
  twilioMs: number;
  presses: number;
  /** Between one press and the next. */
  everyMs: number;
}

/** Five a second are 18,000 an hour: a large company's Monday morning. Twenty take nearly half of one core. */
export const LOADS: readonly Load[] = [
  { name: 'at once, 20 a second', twilioMs: 0, presses: 300, everyMs: 50 },
  { name: `${SLOW_MS / 1000} s, 20 a second`, twilioMs: SLOW_MS, presses: 300, everyMs: 50 },
  { name: `${SLOW_MS / 1000} s, 5 a second`, twilioMs: SLOW_MS, presses: 300, everyMs: 200 },
];

export const GOALS = {
  /** From pressing "Send code" to the answer, 99 of 100, with a Twilio that takes five seconds. */
  p99Ms: 50,
} as const;

/** With limits that nobody meets: everybody comes from one address here. */
export const methodsWithTexts = (apiBase: string) => [
  { id: 'totp' },
  {
    id: 'sms',
    homeCountry: 'US',
    limits: { perAddress: { perHour: 100_000 }, perNetwork: { perHour: 100_000 }, perCountry: { perDay: 100_000 } },
    budget: { messagesPerDay: 100_000, amountPerDay: 100_000 },
    providers: [
      {
        name: 'twilio',
        type: 'twilio',
        accountSid: ACCOUNT_SID,
        auth_token_env: TOKEN_VARIABLE,
        from: '+12025550100',
        apiBase,
      },
    ],
  },
];
