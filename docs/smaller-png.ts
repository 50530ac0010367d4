import { deflateSync, inflateSync } from 'node:zlib';
import { chunk } from '../plugins/app/phone/icons.js';

const SIGNATURE = 8;

const paeth = (left: number, up: number, corner: number): number => {
  const guess = left + up - corner;
  const [toLeft, toUp, toCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
};

/** Undoes the row filters (PNG 9.2); row by row without the filter's byte. */
function pixels(raw: Buffer, stride: number, size: number): Buffer {
  const rows = raw.length / (stride + 1);
  const plain = Buffer.alloc(rows * stride);
  for (let row = 0; row < rows; row += 1) {
    const filter = raw[row * (stride + 1)];
    for (let at = 0; at < stride; at += 1) {
      const index = row * stride + at;
      const left = at >= size ? (plain[index - size] ?? 0) : 0;
      const up = row > 0 ? (plain[index - stride] ?? 0) : 0;
      const corner = at >= size && row > 0 ? (plain[index - stride - size] ?? 0) : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      plain[index] = ((raw[row * (stride + 1) + at + 1] ?? 0) + predicted) & 255;
    }
  }
  return plain;
}

/**
 * The same picture in fewer bytes: pictures of pages are flat colours, which pack best unfiltered and packed hard.
 * Takes what the browser writes: 8 bits a channel, RGB or RGBA without transparency, not interlaced.
 * @param step each channel becomes a multiple of it; 3 is too fine to be seen
 */
export function smallerPng(png: Buffer, step = 1): Buffer {
  const parts: Buffer[] = [];
  let header = Buffer.alloc(0);
  for (let at = SIGNATURE; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = Buffer.from(data);
    if (type === 'IDAT') parts.push(data);
    at += length + 12;
  }
  const [width, height, size] = [header.readUInt32BE(0), header.readUInt32BE(4), header[9] === 6 ? 4 : 3];
  const plain = pixels(inflateSync(Buffer.concat(parts)), width * size, size);
  const rows = Buffer.alloc(height * (width * 3 + 1));
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const from = (row * width + column) * size;
      plain.copy(rows, row * (width * 3 + 1) + 1 + column * 3, from, from + 3);
    }
  }
  if (step > 1) {
    rows.forEach((value, index) => {
      // The byte in front of each row names its filter.
      if (index % (width * 3 + 1) > 0) rows[index] = Math.min(255, Math.round(value / step) * step);
    });
  }
  header[9] = 2;
  const packed = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([
    png.subarray(0, SIGNATURE),
    chunk('IHDR', header),
    chunk('IDAT', packed),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
