import { expect, test } from '@jest/globals';
import decode from 'qr/decode.js';
import { qrSvg } from '../../src/platform/qr-code.js';

/** What a reader sees: four pixels for each module, as drawn. */
function pixelsOf(svg: string) {
  const [, size = ''] = /viewBox="0 0 (\d+) /.exec(svg) ?? [];
  const side = Number(size);
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x, y] of svg.matchAll(/M(\d+),(\d+)h4v4h-4z/g))
    for (let row = 0; row < 4; row += 1) {
      const at = ((Number(y) + row) * side + Number(x)) * 4;
      for (let pixel = 0; pixel < 4; pixel += 1) data.fill(0, at + pixel * 4, at + pixel * 4 + 3);
    }
  return { width: side, height: side, data };
}

test.each([false, true])('what is drawn can be read; drawn in brief: %s', (isBrief) => {
  for (const number of ['000000', '111111', '482915', '999999']) {
    const text = `https://login.example.com/app/confirm#${number}`;
    expect(decode(pixelsOf(qrSvg(text, { isBrief })))).toBe(text);
  }
});
