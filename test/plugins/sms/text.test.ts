import { describe, expect, test } from '@jest/globals';
import { createCatalogue } from '../../../src/http/i18n.js';

/** 3GPP TS 23.038, table 1 without the escape; the characters of its extension would count twice. */
const GSM_7 = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*$/;

const catalogue = createCatalogue({ locales: ['en', 'de'], defaultLocale: 'en', isStrict: true });
const company = 'Bücher & Söhne Berlin'.slice(0, 20);
const host = `${'login.'.repeat(5)}example.de`;

describe.each(['en', 'de'])('the message in %s', (locale) => {
  const text = (what: string) => catalogue.translator(locale)(`sms.text.${what}`, { code: '012345', company, host });

  test.each(['sign_in', 'enrolment', 'notice'])('%s is one message: GSM 7 bit, 160 characters at most', (what) => {
    expect([company.length, host.length]).toEqual([20, 40]);
    expect(text(what)).toMatch(GSM_7);
    expect(text(what).length).toBeLessThanOrEqual(160);
  });

  test.each(['sign_in', 'enrolment'])('%s begins with the code and ends with what binds it to our host', (what) => {
    const lines = text(what).split('\n');
    expect(lines[0]).toMatch(/^012345 /);
    expect(lines.at(-1)).toBe(`@${host} #012345`);
  });

  test('the notice carries no code', () => expect(text('notice')).not.toContain('012345'));
});
