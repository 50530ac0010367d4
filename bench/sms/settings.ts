export const ACCOUNT_SID = 'AC00000000000000000000000000000000';
export const TOKEN_VARIABLE = 'BENCH_TWILIO_TOKEN';
export const AUTH_TOKEN = 'a-token-of-the-bench-alone';

/** How long the stand-in of Twilio takes for an answer while it is slow: as long as we wait for it. */
export const SLOW_MS = 5_000;
/** People who have a code sent: each once, since the next one would have to wait. */
export const WARM_UP = 120;
export const MEASURED = 240;
/** Between one press and the next: twenty a second is a company of thousands on a Monday morning. */
export const EVERY_MS = 50;

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
