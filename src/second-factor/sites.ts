import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { Engine } from '../factors/index.js';
import { type Pages, seeOther } from '../http/index.js';
import { projectRoot } from '../platform/paths.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

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

interface SiteFile {
  body: Buffer;
  type: string;
  etag: string;
}

/** Everything in one folder, by name: what is not a name in it cannot be asked for. */
function readFolder(folder: string): ReadonlyMap<string, SiteFile> {
  const path = join(projectRoot, 'dist', folder);
  if (!existsSync(path)) return new Map();
  return new Map(
    readdirSync(path).flatMap((name) => {
      const type = TYPES[extname(name)];
      if (!type) return [];
      const body = readFileSync(join(path, name));
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`;
      return [[name, { body, type, etag }]];
    }),
  );
}

/** The apps of methods' clients, each at its path. Read once: the build is done before the server starts. */
export function mountSites({
  pages,
  engine,
  url,
}: {
  pages: Pages;
  engine: Pick<Engine, 'sites'>;
  url(path: string): string;
}): void {
  for (const site of engine.sites()) {
    const files = readFolder(site.folder);
    const names = new Set(['', ...site.pages]);

    const serve = (ctx: Context, name: string): void => {
      const file = files.get(names.has(name) ? 'index.html' : name);
      if (!file) throw new AppError('PAGE_NOT_FOUND', 'no such file of the app');
      ctx.set({
        // Checked each time: a phone that kept an old worker would never hear of a new one.
        'Cache-Control': 'no-cache',
        'Content-Security-Policy': POLICY,
        'Permissions-Policy': 'camera=(self), microphone=(), geolocation=()',
        'Service-Worker-Allowed': url(site.path),
        ETag: file.etag,
      });
      ctx.status = 200;
      if (ctx.fresh) {
        ctx.status = 304;
        return;
      }
      ctx.set('Content-Type', file.type);
      ctx.body = file.body;
    };

    // Addresses in its pages are relative to the folder.
    pages.get(site.path, async (ctx) =>
      ctx.path.endsWith('/') ? serve(ctx, '') : seeOther(ctx, url(`${site.path}/`)),
    );
    pages.get(`${site.path}/:name`, async (ctx, { name = '' }) => serve(ctx, name));
  }
}
