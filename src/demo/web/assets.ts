import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Router from '@koa/router';
import { projectRoot } from '../../platform/paths.js';

const TYPES = { 'demo.css': 'text/css; charset=utf-8', 'demo.js': 'text/javascript; charset=utf-8' } as const;

export function mountAssets(router: Router): void {
  for (const [name, type] of Object.entries(TYPES)) {
    router.get(`/assets/${name}`, async (ctx) => {
      ctx.type = type;
      ctx.body = await readFile(join(projectRoot, 'src/demo/assets', name), 'utf8');
    });
  }
}
