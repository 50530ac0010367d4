import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { Brand, MethodSite } from '../factors/contract.js';
import type { Engine } from '../factors/index.js';
import { StaticFile, seeOther, type Web } from '../http/index.js';
import { projectRoot } from '../platform/paths.js';

/** Stricter than the pages': nothing inline, no form that posts; the manifest, the worker and the camera are its own. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Everything in one folder, by name: what is not a name in it cannot be asked for. */
function readFolder(folder: string): ReadonlyMap<string, Buffer> {
  const path = join(projectRoot, 'dist', folder);
  if (!existsSync(path)) return new Map();
  return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]));
}

function filesOf({ folder, dress }: MethodSite, brand: Brand): ReadonlyMap<string, StaticFile> {
  const built = readFolder(folder);
  const files = built.size > 0 ? dress(built, brand) : built;
  return new Map(
    [...files].flatMap(([name, body]) => {
      const file = StaticFile.of(name, body);
      return file ? [[name, file]] : [];
    }),
  );
}

/** The apps of methods' clients, each at its path. Read once: the build is done before the server starts. */
export function mountSites({
  pages,
  engine,
  brand,
  url,
}: Pick<Web, 'pages' | 'brand' | 'url'> & {
  engine: Pick<Engine, 'sites'>;
}): void {
  for (const site of engine.sites()) {
    const files = filesOf(site, brand);
    const names = new Set(['', ...site.pages]);

    const serve = async (ctx: Context, name: string): Promise<void> => {
      const file = files.get(names.has(name) ? 'index.html' : name);
      if (!file) throw new AppError('PAGE_NOT_FOUND', 'no such file of the app');
      ctx.set({
        // Checked each time: a phone that kept an old worker would never hear of a new one.
        'Cache-Control': 'no-cache',
        'Content-Security-Policy': POLICY,
        'Permissions-Policy': 'camera=(self), microphone=(), geolocation=()',
        'Service-Worker-Allowed': url(site.path),
      });
      await file.serve(ctx);
    };

    // Addresses in its pages are relative to the folder.
    pages.get(site.path, async (ctx) =>
      ctx.path.endsWith('/') ? serve(ctx, '') : seeOther(ctx, url(`${site.path}/`)),
    );
    pages.get(`${site.path}/:name`, async (ctx, { name = '' }) => serve(ctx, name));
  }
}
