import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { projectRoot } from '../platform/paths.js';
import { digestOf, StaticFile } from './static-file.js';
import { accents, type Branding, themeCss } from './theme.js';

export interface Assets {
  /** Changes with any file, so that an answer may be kept for a year. */
  version: string;
  /** By file name; `theme.css` when the branding has an accent, `logo.svg` or `logo.png` when it has a logo. */
  files: ReadonlyMap<string, StaticFile>;
  /** Name of the operator's logo among `files`. */
  logo?: string;
}

const SHEET = 'countersign.css';

/** The one stylesheet of all pages: what things are called, then what they are made of. */
const readSheet = (): Buffer =>
  Buffer.concat(['tokens.css', join('assets', SHEET)].map((path) => readFileSync(join(projectRoot, 'views', path))));

/**
 * Reads `views/assets/` and what the branding adds, once: small enough to stay in memory.
 * @throws Error when the logo cannot be read, or is neither SVG nor PNG.
 */
export function loadAssets(branding: Pick<Branding, 'accent' | 'logo'> = {}): Assets {
  const files = new Map<string, StaticFile>();
  const add = (name: string, body: Buffer): void => {
    const file = StaticFile.of(name, body);
    if (!file) throw new Error(`${name}: an asset is one of ${StaticFile.kinds}`);
    files.set(name, file);
  };
  const folder = join(projectRoot, 'views/assets');
  for (const name of readdirSync(folder).sort())
    add(name, name === SHEET ? readSheet() : readFileSync(join(folder, name)));
  const theme = themeCss(branding);
  if (theme) add('theme.css', Buffer.from(theme));
  const logo = branding.logo ? `logo${extname(branding.logo).toLowerCase()}` : undefined;
  if (branding.logo && logo) add(logo, readFileSync(branding.logo));
  const version = digestOf([...files].map(([name, { digest }]) => name + digest).join()).slice(0, 10);
  return { version, files, ...(logo ? { logo } : {}) };
}

/** What an app of this server shows of whose it is. */
export interface Brand {
  /** On top of every page. */
  name: string;
  /** `#rrggbb`, to be read on light grounds; white can be read on it. */
  accent: string;
  /** Custom properties of both themes; empty where the accent is the stylesheet's own. */
  css: string;
  logo?: { name: string; body: Buffer };
}

export function brandOf(branding: Branding, { files, logo }: Assets): Brand {
  const picture = logo ? files.get(logo) : undefined;
  return {
    name: branding.companyName ?? branding.name,
    accent: accents(branding).accent,
    css: themeCss(branding),
    ...(logo && picture ? { logo: { name: logo, body: picture.body } } : {}),
  };
}
