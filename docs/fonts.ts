import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The environment of a browser whose `system-ui` is the Open Sans that comes with @sparticuz/chromium, so that the pictures
 * look alike on every machine; all else comes from the machine.
 */
export function withOpenSans(folder: string): Record<string, string> {
  const file = join(folder, 'fonts.conf');
  const alias = (family: string): string =>
    `<match><test name="family"><string>${family}</string></test><edit name="family" mode="prepend" binding="strong"><string>Open Sans</string></edit></match>`;
  writeFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(tmpdir(), 'fonts')}</dir><dir>/usr/share/fonts</dir><cachedir>${join(folder, 'fonts-cache')}</cachedir>${alias('system-ui')}${alias('sans-serif')}</fontconfig>`,
  );
  const own = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return { ...Object.fromEntries(own), FONTCONFIG_FILE: file };
}
