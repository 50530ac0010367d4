import { expect, test } from '@jest/globals';
import { issuerOf, readAddress } from '../../plugins/app/phone/web/addresses.js';

const ISSUER = 'https://id.example/auth';
const CODE = `${'a'.repeat(40)}-_9`;

test('the issuer is what stands before the folder, with its path', () => {
  expect(issuerOf('https://id.example/app/app.js')).toBe('https://id.example');
  expect(issuerOf('https://id.example/auth/app/app.js')).toBe('https://id.example/auth');
});

test.each([
  [`${ISSUER}/app/pair#${CODE}`, { what: 'pair', code: CODE }],
  [` ${ISSUER}/app/confirm#482915 `, { what: 'confirm', number: '482915' }],
  [`${ISSUER}/app/confirm#42`, { what: 'confirm', number: '42' }],
  [`https://elsewhere.example/app/pair#${CODE}`, { what: 'elsewhere', host: 'elsewhere.example' }],
  [`https://id.example/app/confirm#482915`, { what: 'elsewhere', host: 'id.example' }],
  [`https://id.example/auth@evil.example/app/pair#${CODE}`, { what: 'elsewhere', host: 'id.example' }],
  [`${ISSUER}/app/pair#${CODE}x`, undefined],
  [`${ISSUER}/app/pair?code=${CODE}`, undefined],
  [`${ISSUER}/app/confirm#48 29`, undefined],
  [`${ISSUER}/app/`, undefined],
  [`javascript:alert(1)/app/pair#${CODE}`, undefined],
  ['WIFI:S:guests;;', undefined],
])('%s', (text, expected) => {
  expect(readAddress(text, ISSUER)).toEqual(expected);
});
