import { expect, test } from '@jest/globals';
import decode from 'qr/decode.js';
import { qrSvg } from '../../src/platform/qr-code.js';

const SCALE = 4;

/** What a reader sees: four pixels for each module, as drawn. */
function pixelsOf(svg: string) {
  const [, size = ''] = /viewBox="0 0 (\d+) /.exec(svg) ?? [];
  const side = Number(size) * SCALE;
  const data = new Uint8Array(side * side * 4).fill(255);
  const [, dark = ''] = /fill="#000" d="([^"]*)"/.exec(svg) ?? [];
  for (const [, x, y, length] of dark.matchAll(/M(\d+) (\d+)h(\d+)v1H\1z/g)) {
    for (let row = 0; row < SCALE; row += 1) {
      const at = (Number(y) * SCALE + row) * side + Number(x) * SCALE;
      for (let pixel = at; pixel < at + Number(length) * SCALE; pixel += 1) data.fill(0, pixel * 4, pixel * 4 + 3);
    }
  }
  return { width: side, height: side, data };
}

test.each([false, true])('what is drawn can be read; drawn in brief: %s', (isBrief) => {
  for (const number of ['000000', '111111', '482915', '999999']) {
    const text = `https://login.example.com/app/confirm#${number}`;
    expect(decode(pixelsOf(qrSvg(text, { isBrief })))).toBe(text);
  }
});
