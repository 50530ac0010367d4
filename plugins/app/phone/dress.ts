import { createHash } from 'node:crypto';
import type { Brand } from '../../../src/factors/contract.js';
import { recolour } from './icons.js';

const PAGE = 'index.html';
const MANIFEST = 'app.webmanifest';
const STYLES = 'app.css';
const WORKER = 'service-worker.js';

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * The app of one server: its name in the page and in the manifest, its colours, its logo, and its icon on the phone. Done once, when the
 * server starts: the files stay the same for everybody.
 */
export function dress(built: ReadonlyMap<string, Buffer>, { name, accent, css, logo }: Brand): Map<string, Buffer> {
  const files = new Map(built);
  const change = (file: string, how: (text: string) => string): void => {
    files.set(file, Buffer.from(how(String(built.get(file) ?? ''))));
  };
  change(PAGE, (text) => text.replaceAll('{{name}}', escaped(name)).replace('{{logo}}', logo?.name ?? ''));
  change(MANIFEST, (text) =>
    JSON.stringify({ ...JSON.parse(text), name, short_name: name, theme_color: accent }, undefined, 2),
  );
  if (css) change(STYLES, (text) => `${text}\n${css}`);
  for (const [file, body] of built) if (/^icon-.*\.png$/.test(file)) files.set(file, recolour(body, accent));
  if (logo) files.set(logo.name, logo.body);
  // Phones take up a new worker when a byte of it has changed, and with it whatever else has.
  const digest = createHash('sha256')
    .update(JSON.stringify([name, accent, css]))
    .update(logo?.body ?? '');
  const dressed = { version: digest.digest('base64url').slice(0, 12), files: logo ? [logo.name] : [] };
  change(WORKER, (text) => `self.dressed=${JSON.stringify(dressed)};\n${text}`);
  return files;
}
