import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';
import { encodeQR } from 'qr';

const [WIDTH, HEIGHT] = [640, 480];
const MODULE = 6;

/** One picture of a code as a video without end: YUV4MPEG2, which Chromium takes for a camera. */
function film(text: string): Buffer {
  const code = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
  const luma = Buffer.alloc(WIDTH * HEIGHT, 120);
  const left = Math.floor((WIDTH - code.length * MODULE) / 2);
  const top = Math.floor((HEIGHT - code.length * MODULE) / 2);
  for (const [y, row] of code.entries())
    for (const [x, isDark] of row.entries())
      for (let line = 0; line < MODULE; line += 1) {
        const from = (top + y * MODULE + line) * WIDTH + left + x * MODULE;
        luma.fill(isDark ? 20 : 230, from, from + MODULE);
      }
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420mpeg2\n`), frame, frame]);
}

/** A browser whose camera looks at a QR code. */
export async function launchWithCamera(text: string): Promise<Browser> {
  const file = join(mkdtempSync(join(tmpdir(), 'camera-')), 'code.y4m');
  writeFileSync(file, film(text));
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      '--no-sandbox',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${file}`,
    ],
  });
}
