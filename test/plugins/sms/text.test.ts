import { describe, expect, test } from '@jest/globals';
import { createTexts } from '../../../plugins/sms/texts.js';
import { createCatalogue } from '../../../src/http/i18n.js';

/** 3GPP TS 23.038, table 1 without the escape; the characters of its extension would count twice. */
const GSM_7 = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*$/;

const catalogue = createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en', isStrict: true });
const company = 'Bücher & Söhne Berlin'.slice(0, 20);
const host = `${'login.'.repeat(5)}example.de`;

describe.each(['en', 'de'])('the message in %s', (locale) => {
  const account = { id: 'a1', login: 'anna', name: 'Anna', email: 'anna@example.com', locale };
  const texts = createTexts({
    issuer: `https://${host}/id`,
    issuerName: company,
    translate: (wanted, key, params) => catalogue.translator(wanted ?? 'en')(key, params),
  });
  const codes = (['sign_in', 'enrolment'] as const).map((purpose) => texts.code(purpose, account, '012345'));

  test('is one: GSM 7 bit, 160 characters at most', () => {
    expect([company.length, host.length]).toEqual([20, 40]);
    for (const text of [...codes, texts.replaced(account)]) {
      expect(text).toMatch(GSM_7);
      expect(text.length).toBeLessThanOrEqual(160);
    }
  });

  test('begins with the code and ends with what binds it to our host', () => {
    for (const text of codes) {
      expect(text).toMatch(/^012345 /);
      expect(text.split('\n').at(-1)).toBe(`@${host} #012345`);
    }
  });

  test('carries no code to a number that was replaced', () => {
    expect(texts.replaced(account)).not.toMatch(/\d|@/);
  });
});
