/** The step of `npm run build` that turns every pug file into a function. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { compiledFolder, compiledPath, compileToModule, listTemplates } from './templates.js';

rmSync(compiledFolder, { recursive: true, force: true });
for (const path of listTemplates()) {
  mkdirSync(dirname(compiledPath(path)), { recursive: true });
  writeFileSync(compiledPath(path), compileToModule(path));
}
