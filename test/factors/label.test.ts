import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normaliseLabel, unusedLabel } from '../../src/factors/label.js';

const named = (...labels: string[]) => labels.map((label) => ({ label }));

test('a name that is taken gets the next free number', () => {
  expect(unusedLabel('Pixel 9', named('iPhone'))).toBe('Pixel 9');
  expect(unusedLabel('Pixel 9', named('Pixel 9', 'Pixel 9 3'))).toBe('Pixel 9 2');
  expect(unusedLabel('Pixel 9', named('Pixel 9', 'Pixel 9 2'))).toBe('Pixel 9 3');
});

test('a long name makes room for its number, and no half of a character is left', () => {
  const long = `${'x'.repeat(37)}😀x`;
  expect(unusedLabel(long, named(long))).toBe(`${'x'.repeat(37)} 2`);
});

test('whatever it is made of, it is a name that could be stored, and nobody’s', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 0, max: 12 }), (raw, count) => {
      const base = normaliseLabel(raw);
      if (base === undefined) return;
      const taken: { label: string }[] = [];
      for (let n = 0; n <= count; n += 1) {
        const label = unusedLabel(base, taken);
        expect(normaliseLabel(label)).toBe(label);
        expect(taken).not.toContainEqual({ label });
        taken.push({ label });
      }
    }),
  );
});
