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

async function complaints(starting: Promise<unknown>): Promise<Record<string, string>> {
  const error: unknown = await starting.catch((reason: unknown) => reason);
  if (!(error instanceof ConfigurationError)) throw error;
  return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
}
const problems = async (starting: Promise<unknown>): Promise<string[]> =>
  Object.keys(await complaints(starting)).sort();

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

  test('each is told in the words of the other settings', async () => {
    const words = await complaints(
      start({
        codeDigitz: 6,
        landlines: 3,
        setUp: 'perhaps',
        countries: [],
        limits: 3,
        conversion: { outOf: 5_000, atLeast: 'x' },
        budget: { prices: { de: 1 }, price: -1, messagesPerDay: 1.5 },
        providers: [
          { type: 'http', name: 'a', url: 'https://sms.example/', body: { form: { to: '{to}' } }, success: 2 },
        ],
      }),
    );
    expect(words).toEqual({
      'methods[0].digits': 'is not a setting',
      'methods[1].codeDigitz': 'is not a setting',
      'methods[1].landlines': 'must be true or false',
      'methods[1].setUp': 'must be required or optional or never',
      'methods[1].countries': 'must have at least 1 entry',
      'methods[1].limits': 'must be a group of settings',
      'methods[1].conversion.outOf': 'must be at most 500',
      'methods[1].conversion.atLeast': 'must be a number',
      'methods[1].budget.prices.de': 'must be a country code of two capital letters, such as DE',
      'methods[1].budget.price': 'must be at least 0',
      'methods[1].budget.messagesPerDay': 'must be a whole number',
      'methods[1].providers[0].success': 'must be a list',
    });
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
