import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CountryCode, getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { callingCode, countryChoices, isCountry, masked, readNumber } from '../../../plugins/sms/numbers.js';

const everywhere = new Set<string>(getCountries());
const anywhere = { countries: everywhere, landlines: false };
const within = (...countries: string[]) => ({ countries: new Set(countries), landlines: false });
const withLandlines = { countries: everywhere, landlines: true };

const ok = (number: string, country: string) => ({ status: 'ok', number, country, masked: `···· ${number.slice(-2)}` });
const refused = (reason: string) => ({ status: 'refused', reason });

describe('every country', () => {
  const mobile = getCountries().flatMap((country) => getExampleNumber(country, examples) ?? []);

  it('has its mobile number read, in the national and in the international form', () => {
    expect(mobile.length).toBeGreaterThan(240);
    for (const example of mobile) {
      // Where territories share a numbering plan, the number tells which of them it is.
      const expected = ok(example.number, readCountry(example.number));
      expect([example.country, readNumber(example.formatNational(), example.country as string, anywhere)]).toEqual([
        example.country,
        expected,
      ]);
      expect(readNumber(example.formatInternational(), 'DE', anywhere)).toEqual(expected);
    }
  });

  const readCountry = (number: string): string => {
    const read = readNumber(number, 'DE', anywhere);
    return read.status === 'ok' ? read.country : read.reason;
  };
});

describe('as people type it', () => {
  it.each([
    ['0151 23456789', 'DE'],
    ['(0151) 234-567-89', 'DE'],
    ['0151/23456789', 'DE'],
    ['0151.2345.6789', 'DE'],
    ['0151–23456789', 'DE'],
    ['０１５１　２３４５６７８９', 'DE'],
    ['15123456789', 'DE'],
    ['+49 151 23456789', 'US'],
    ['+49 (0) 151 23456789', 'US'],
    ['＋４９１５１２３４５６７８９', 'US'],
    ['0049 151 23456789', 'US'],
    ['(0049) 151-23456789', 'DE'],
    ['\u202a+49 151 23456789\u202c', 'US'],
    ['  +49\u00a0151\u00a023456789 ', 'nowhere'],
  ])('%j with %s picked', (typed, country) => {
    expect(readNumber(typed, country, anywhere)).toEqual(ok('+4915123456789', 'DE'));
  });

  it.each([
    ['', 'DE'],
    ['+', 'DE'],
    ['00', 'DE'],
    ['0151', 'DE'],
    ['0151 23456789 0123456', 'DE'],
    ['0151 23456789', 'nowhere'],
    ['0151 23456789', '__proto__'],
    ['my number is 0151 23456789', 'DE'],
    ['0151 23456789 ext. 12', 'DE'],
    ['0151 23456789;ext=12', 'DE'],
    ['0151 23456789 x12', 'DE'],
    ['0151 23456789#12', 'DE'],
    ['+1 800 FLOWERS', 'US'],
    ['tel:+4915123456789', 'DE'],
    ['++4915123456789', 'DE'],
    ['+49+15123456789', 'DE'],
    ['+999 151 23456789', 'DE'],
    ['112', 'DE'],
    ['٠١٥١٢٣٤٥٦٧٨٩', 'DE'],
    [`+49 151 ${'2'.repeat(300)}`, 'DE'],
  ])('%j with %s picked is no number', (typed, country) => {
    expect(readNumber(typed, country, withLandlines)).toEqual(refused('invalid'));
  });
});

describe('the country', () => {
  it.each([
    ['+1 416 555 1234', '+14165551234', 'CA'],
    ['+1 876 210 1234', '+18762101234', 'JM'],
    ['+1 201 555 0123', '+12015550123', 'US'],
  ])('of %s is its own, whatever was picked', (typed, number, country) => {
    expect(readNumber(typed, 'DE', anywhere)).toEqual(ok(number, country));
    expect(readNumber(typed.slice(3), 'US', anywhere)).toEqual(ok(number, country));
    expect(readNumber(typed, country, within(country))).toEqual(ok(number, country));
    expect(readNumber(typed, 'US', within('CA', 'JM', 'US', 'DE'))).toMatchObject({ country });
  });

  it('must be one of those that texts are sent to: the calling code alone does not decide', () => {
    expect(readNumber('876 210 1234', 'US', within('US'))).toEqual(refused('country'));
    expect(readNumber('+1 416 555 1234', 'US', within('US'))).toEqual(refused('country'));
    expect(readNumber('07911 123456', 'GB', within('GB'))).toEqual(refused('country'));
    expect(readNumber('+49 151 23456789', 'US', within('US'))).toEqual(refused('country'));
    expect(readNumber('+49 151 23456789', 'US', within())).toEqual(refused('country'));
  });

  it('is asked before the kind of number: a closed country tells nothing about its numbers', () => {
    expect(readNumber('0900 1234567', 'DE', within('US'))).toEqual(refused('country'));
  });
});

describe('the kind of number', () => {
  it.each([
    ['DE premium', '0900 1234567', 'DE'],
    ['DE shared cost', '01805 123456', 'DE'],
    ['DE toll-free', '0800 1234567', 'DE'],
    ['DE personal', '0700 12345678', 'DE'],
    ['GB premium', '0871 234 5678', 'GB'],
    ['GB toll-free', '0800 123 4567', 'GB'],
    ['GB personal', '070 1234 5678', 'GB'],
    ['GB pager', '076 4012 3456', 'GB'],
    ['GB company', '0300 123 4567', 'GB'],
    ['US premium', '900 234 5678', 'US'],
    ['US toll-free', '800 234 5678', 'US'],
  ])('%s is refused, with landlines or without', (_, typed, country) => {
    expect(readNumber(typed, country, anywhere)).toEqual(refused('premium'));
    expect(readNumber(typed, country, withLandlines)).toEqual(refused('premium'));
  });

  it.each([
    ['030 123456', 'DE', '+4930123456'],
    ['020 7946 0000', 'GB', '+442079460000'],
  ])('%s in %s is of the fixed network: where that is allowed', (typed, country, number) => {
    expect(readNumber(typed, country, anywhere)).toEqual(refused('not_mobile'));
    expect(readNumber(typed, country, withLandlines)).toEqual(ok(number, country));
  });

  it('may be either in the numbering plan of North America, and is accepted', () => {
    expect(readNumber('201 555 0123', 'US', anywhere)).toEqual(ok('+12015550123', 'US'));
  });

  it('is refused where it is bound to no telephone, with landlines too', () => {
    expect(readNumber('056 1234 5678', 'GB', withLandlines)).toEqual(refused('not_mobile'));
  });

  it('is of no country for the satellites: refused', () => {
    expect(readNumber('+882 16 1234567', 'DE', withLandlines)).toEqual(refused('country'));
    expect(readNumber('+800 1234 5678', 'DE', withLandlines)).toEqual(refused('country'));
  });
});

it('never throws, and what it accepts is E.164 that reads as itself', () => {
  const typed = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'0123456789+() -./#x;*０９') }),
    fc.integer({ min: 0 }).map((digits) => `+1 ${digits}`),
    fc.integer({ min: 10_000_000, max: 99_999_999 }).map((digits) => `0151 ${digits}`),
  );
  const country = fc.oneof(fc.constantFrom<CountryCode>('DE', 'US', 'GB', 'IT'), fc.string());
  fc.assert(
    fc.property(typed, country, fc.boolean(), (text, picked, landlines) => {
      const read = readNumber(text, picked, { countries: everywhere, landlines });
      if (read.status === 'refused') return;
      expect(read.number).toMatch(/^\+[1-9]\d{6,14}$/);
      expect(everywhere).toContain(read.country);
      expect(readNumber(read.number, '', { countries: everywhere, landlines })).toEqual(read);
    }),
    { numRuns: 2_000 },
  );
});

describe('the countries to pick from', () => {
  const some = new Set(['US', 'DE', 'AT', 'GB', 'EG']);

  it('are named and ordered in the language of the page', () => {
    expect(countryChoices('en', some).map(({ name }) => name)).toEqual([
      'Austria',
      'Egypt',
      'Germany',
      'United Kingdom',
      'United States',
    ]);
    expect(countryChoices('de', some)).toEqual([
      { code: 'EG', name: 'Ägypten', callingCode: '+20' },
      { code: 'DE', name: 'Deutschland', callingCode: '+49' },
      { code: 'AT', name: 'Österreich', callingCode: '+43' },
      { code: 'US', name: 'Vereinigte Staaten', callingCode: '+1' },
      { code: 'GB', name: 'Vereinigtes Königreich', callingCode: '+44' },
    ]);
    expect(countryChoices('en', everywhere)).toHaveLength(everywhere.size);
    expect(countryChoices('en', new Set(['nowhere']))).toEqual([]);
  });
});

it('knows countries, their calling codes, and what is shown of a number', () => {
  expect([isCountry('DE'), isCountry('de'), isCountry('XX'), isCountry('__proto__'), isCountry('')]).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  expect([callingCode('DE'), callingCode('JM'), callingCode('XX')]).toEqual(['+49', '+1', undefined]);
  expect(masked('+4915123456789')).toBe('···· 89');
});
