import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { projectRoot } from '../platform/paths.js';
import { type Branding, themeCss } from './theme.js';

export interface Asset {
  body: Buffer;
  /** Value of `Content-Type`. */
  type: string;
  /** Strong validator, quotes included (RFC 9110 8.8.3). */
  etag: string;
}

export interface Assets {
  /** Changes with any file, so that an answer may be kept for a year. */
  version: string;
  /** By file name; `theme.css` when the branding has an accent, `logo.svg` or `logo.png` when it has a logo. */
  files: ReadonlyMap<string, Asset>;
  /** Name of the operator's logo among `files`. */
  logo?: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

const digest = (body: Buffer): string => createHash('sha256').update(body).digest('base64url').slice(0, 16);

/**
 * Reads `views/assets/` and what the branding adds, once: small enough to stay in memory.
 * @throws Error when the logo cannot be read, or is neither SVG nor PNG.
 */
export function loadAssets(branding: Pick<Branding, 'accent' | 'logo'> = {}): Assets {
  const files = new Map<string, Asset>();
  const add = (name: string, body: Buffer): void => {
    const type = TYPES[extname(name).toLowerCase()];
    if (!type) throw new Error(`${name}: an asset is one of ${Object.keys(TYPES).join(', ')}`);
    files.set(name, { body, type, etag: `"${digest(body)}"` });
  };
  const folder = join(projectRoot, 'views/assets');
  for (const name of readdirSync(folder).sort()) add(name, readFileSync(join(folder, name)));
  const theme = themeCss(branding);
  if (theme) add('theme.css', Buffer.from(theme));
  const logo = branding.logo ? `logo${extname(branding.logo).toLowerCase()}` : undefined;
  if (branding.logo && logo) add(logo, readFileSync(branding.logo));
  const version = digest(Buffer.from([...files].map(([name, { etag }]) => name + etag).join())).slice(0, 10);
  return { version, files, ...(logo ? { logo } : {}) };
}
