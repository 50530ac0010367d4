import { describe, expect, it } from '@jest/globals';
import { checkNewPassword } from '../../src/accounts/index.js';

const about = { login: 'anna.schmidt@example.com', name: 'Anna Schmidt', email: 'a.schmidt@example.org' };
const alone = (password: string) => checkNewPassword(password, { ...about, secondFactorActive: false });
const beside = (password: string) => checkNewPassword(password, { ...about, secondFactorActive: true });

describe('a new password', () => {
  it.each([
    'correct horse battery',
    'vcx93-jklm2-44abq',
    'ünïcödé wörds äre fine',
    '今日はとても良い天気ですね、散歩へ',
  ])('may be %s', (password) => {
    expect(alone(password)).toEqual([]);
  });

  it('has 15 characters alone, 8 beside a second factor', () => {
    expect(alone('vcx93-jklm2-44')).toEqual(['too_short']);
    expect(alone('vcx93-jklm2-44a')).toEqual([]);
    expect(beside('vcx93-j')).toEqual(['too_short']);
    expect(beside('vcx93-jk')).toEqual([]);
  });

  it('is counted in characters of the normalised form, up to 128', () => {
    expect(beside('🐢🐇🦊🐻')).toContain('too_short');
    // Eight code points that compose to four.
    expect(beside('q\u0308e\u0301u\u0308o\u0308')).toContain('too_short');
    const long = Array.from({ length: 128 }, (_, n) => String.fromCodePoint(0x1f400 + ((n * 37) % 128))).join('');
    expect(alone(long)).toEqual([]);
    expect(alone(`${long}x`)).toEqual(['too_long']);
    expect(alone('x'.repeat(1_000_000))).toEqual(['too_long']);
  });

  it.each(['password', 'PassWord', 'qwertyuiop', 'ｐａｓｓｗｏｒｄ', 'passwordpassword', 'iloveyouiloveyou'])(
    'is none that guessing begins with: %s',
    (password) => {
      expect(beside(password)).toEqual(['common']);
    },
  );

  it.each(['zzzzzzzzzzzzzzzzz', 'x7x7x7x7x7x7x7x7', 'abcdefghijklmnop', '89012345678901234', 'zyxwvutsrqponmlk'])(
    'is no mere repetition or run: %s',
    (password) => {
      expect(alone(password)).toEqual(['repetitive']);
    },
  );

  it.each([
    ['Anna.Schmidt2026', 'contains_login'],
    ['schmidt-1987', 'contains_name'],
    ['AnnaSchmidt2026', 'contains_name'],
    ['a.schmidt@example.org!!', 'contains_email'],
  ])('is not mostly about its owner: %s', (password, problem) => {
    expect(beside(password)).toContain(problem);
  });

  it('may mention its owner in a long phrase', () => {
    expect(alone('anna feeds eleven grey geese')).toEqual([]);
  });
});
