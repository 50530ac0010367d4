import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../../src/config/index.js';
import { startApp } from '../support/app.js';

const twilio = {
  name: 'twilio',
  type: 'twilio',
  accountSid: 'AC00000000000000000000000000000000',
  auth_token_env: 'NO_SUCH_VARIABLE',
  from: '+12025550100',
};
const start = (sms: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  startApp({
    methods: [
      { id: 'totp', digits: 8 },
      { id: 'sms', homeCountry: 'US', ...sms },
    ],
    ...more,
  });

async function problems(starting: Promise<unknown>): Promise<string[]> {
  const error: unknown = await starting.catch((reason: unknown) => reason);
  if (!(error instanceof ConfigurationError)) throw error;
  return error.problems.map(({ path }) => path).sort();
}

describe('the options of methods', () => {
  test('everything that is wrong with them is told at once, with its place', async () => {
    const wrong = { providers: [twilio], budget: { currency: 'euro' }, limits: { perNumber: { perHour: 0 } }, sort: 1 };
    expect(await problems(start(wrong))).toEqual([
      'methods[0].digits',
      'methods[1].budget.currency',
      'methods[1].limits.perNumber.perHour',
      'methods[1].sort',
    ]);
  });

  test('a secret that is not set is one of them, without its value', async () => {
    expect(await problems(start({ providers: [twilio] }))).toEqual([
      'methods[0].digits',
      'methods[1].providers[0].auth_token_env',
    ]);
  });

  test('providers that may keep a message for longer than a node may be silent', async () => {
    const slow = { ...twilio, timeoutMs: 8_000 };
    expect(await problems(start({ providers: [slow, { ...slow, name: 'second' }] }))).toEqual([
      'methods[0].digits',
      'methods[1].providers',
    ]);
  });

  test('the development transport on a public issuer', async () => {
    const methods = [{ id: 'totp' }, { id: 'sms', homeCountry: 'US', providers: [{ name: 'here', type: 'outbox' }] }];
    const publicly = {
      methods,
      issuer: 'https://login.example.com',
      database: { allowEmbedded: true },
      mail: { transport: 'smtp', smtp: { host: 'smtp.example.com' } },
    };
    expect(await problems(startApp(publicly))).toEqual(['methods[1].providers[0].type']);
  });
});
