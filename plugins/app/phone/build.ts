/** The step of `npm run build` that makes the app on the phone: `dist/app/`, files only. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, transform } from 'esbuild';
import { drawIcon } from './icons.js';

const root = ((): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();
const source = join(root, 'plugins/app/phone');
const target = join(root, 'dist/app');
const write = (name: string, content: string | Buffer): void => writeFileSync(join(target, name), content);

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

const OPTIONS: BuildOptions = {
  bundle: true,
  minify: true,
  target: ['es2022', 'safari16.4', 'chrome109', 'firefox115'],
  legalComments: 'none',
  outdir: target,
  logLevel: 'warning',
};

await build({
  ...OPTIONS,
  entryPoints: { app: join(source, 'web/main.ts') },
  format: 'esm',
  splitting: true,
  chunkNames: '[name]-[hash]',
});

// One visual system: the pages' stylesheet and what the app alone has.
const sheets = ['views/tokens.css', 'views/assets/countersign.css', 'plugins/app/phone/web/phone.css'];
const css = await transform(sheets.map((path) => readFileSync(join(root, path), 'utf8')).join('\n'), {
  loader: 'css',
  minify: true,
});
write('app.css', css.code);
for (const name of ['index.html', 'app.webmanifest']) write(name, readFileSync(join(source, 'web', name), 'utf8'));
write('icon.svg', readFileSync(join(root, 'views/assets/icon.svg')));
write('icon-180.png', drawIcon(180, 0.72));
write('icon-192.png', drawIcon(192, 0.8));
write('icon-512.png', drawIcon(512, 0.8));
write('icon-maskable-512.png', drawIcon(512, 0.6));

// Last, for it knows the names and the content of all the others.
const files = readdirSync(target).sort();
const digest = createHash('sha256');
for (const name of files) digest.update(name).update(readFileSync(join(target, name)));
// The system asks for icons when it installs the app; without a network nobody needs them.
const kept = files.filter((name) => !/^icon-.*\.png$/.test(name) && name !== 'index.html');
await build({
  ...OPTIONS,
  entryPoints: { 'service-worker': join(source, 'worker/service-worker.ts') },
  format: 'iife',
  define: {
    BUILD_VERSION: JSON.stringify(digest.digest('base64url').slice(0, 12)),
    BUILD_FILES: JSON.stringify(kept),
  },
});
