/** Draws the app's icons: the shield of the pages, white on the accent. */
import { crc32, deflateSync } from 'node:zlib';

type Point = readonly [x: number, y: number];

/** White on the default accent, until a server has its own. */
const INK = [255, 255, 255];
const GROUND = [15, 92, 110];
/** On a grid of 24, as in `views/parts/icons.pug`. */
const GRID = 24;
const LINE_WIDTH = 1.75;
/** Samples of one pixel, in each direction. */
const SAMPLES = 3;

const curve = (from: Point, one: Point, two: Point, to: Point): Point[] =>
  Array.from({ length: 16 }, (_, n) => {
    const t = (n + 1) / 16;
    const u = 1 - t;
    const at = (axis: 0 | 1): number =>
      u ** 3 * from[axis] + 3 * u * u * t * one[axis] + 3 * u * t * t * two[axis] + t ** 3 * to[axis];
    return [at(0), at(1)];
  });

const SHIELD: Point[] = [
  [12, 3],
  [19, 6],
  [19, 11],
  ...curve([19, 11], [19, 15.6], [16, 19.2], [12, 21]),
  ...curve([12, 21], [8, 19.2], [5, 15.6], [5, 11]),
  [5, 6],
  [12, 3],
];
const TICK: Point[] = [
  [9, 12],
  [11.2, 14.2],
  [15.5, 10],
];

function distance([px, py]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const dx = bx - ax;
  const dy = by - ay;
  const along = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy)));
  const x = px - ax - along * dx;
  const y = py - ay - along * dy;
  return Math.sqrt(x * x + y * y);
}

const toLine = (point: Point, line: readonly Point[]): number =>
  line.reduce((least, to, n) => (n > 0 ? Math.min(least, distance(point, line[n - 1] ?? to, to)) : least), Infinity);

/** How far outside of the strokes, on the grid; negative on them. */
const outside = (point: Point): number => Math.min(toLine(point, SHIELD), toLine(point, TICK)) - LINE_WIDTH / 2;

/** From the ground to the ink, one for each number of samples that a pixel may have inked. */
const palette = (ground: readonly number[]): Buffer =>
  Buffer.from(
    Array.from({ length: SAMPLES * SAMPLES + 1 }, (_, inked) =>
      ground.map((part, n) => Math.round(part + (((INK[n] ?? 0) - part) * inked) / (SAMPLES * SAMPLES))),
    ).flat(),
  );

/** One of a PNG file (PNG specification section 5.3). */
export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/**
 * A square icon as PNG, opaque to its corners: systems cut their own shape out of it.
 * @param size pixels, even
 * @param share of the width that the drawing takes; a maskable icon keeps within 0.8 (W3C manifest, safe zone)
 */
export function drawIcon(size: number, share: number): Buffer {
  const rowBytes = size / 2 + 1;
  const rows = Buffer.alloc(size * rowBytes);
  const onGrid = (pixel: number): number => ((pixel / size - 0.5) / share) * GRID + GRID / 2;
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const middle = outside([onGrid(x + 0.5), onGrid(y + 0.5)]);
      let inked = middle < 0 ? SAMPLES * SAMPLES : 0;
      // Only a pixel on an edge has to be looked at more closely: no point of it is further from its middle than one pixel.
      if (Math.abs(middle) < GRID / (size * share)) {
        inked = 0;
        for (let n = 0; n < SAMPLES * SAMPLES; n += 1) {
          const right = onGrid(x + ((n % SAMPLES) + 0.5) / SAMPLES);
          const down = onGrid(y + (Math.floor(n / SAMPLES) + 0.5) / SAMPLES);
          if (outside([right, down]) <= 0) inked += 1;
        }
      }
      // Two pixels to a byte, the left one in the upper half.
      const at = y * rowBytes + 1 + (x >> 1);
      rows[at] = (rows[at] ?? 0) | (x % 2 === 0 ? inked << 4 : inked);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // 4 bits a pixel, from a palette, no interlacing.
  header.set([4, 3, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('PLTE', palette(GROUND)),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The same drawing on another ground. @param icon of `drawIcon` @param ground `#rrggbb` */
export function recolour(icon: Buffer, ground: string): Buffer {
  const colours = palette([1, 3, 5].map((at) => Number.parseInt(ground.slice(at, at + 2), 16)));
  const made = chunk('PLTE', colours);
  const at = icon.indexOf('PLTE') - 4;
  return Buffer.concat([icon.subarray(0, at), made, icon.subarray(at + made.length)]);
}
