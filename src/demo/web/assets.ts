import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Router from '@koa/router';
import { projectRoot } from '../../platform/paths.js';

const FILES = {
  'demo.css': { type: 'text/css; charset=utf-8', parts: ['views/tokens.css', 'src/demo/assets/demo.css'] },
  'demo.js': { type: 'text/javascript; charset=utf-8', parts: ['src/demo/assets/demo.js'] },
} as const;

export function mountAssets(router: Router): void {
  for (const [name, { type, parts }] of Object.entries(FILES)) {
    router.get(`/assets/${name}`, async (ctx) => {
      ctx.type = type;
      ctx.body = (await Promise.all(parts.map((path) => readFile(join(projectRoot, path), 'utf8')))).join('\n');
    });
  }
}
