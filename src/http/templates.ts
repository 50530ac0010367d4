import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { compileTemplate, Options } from 'pug';
import { projectRoot } from '../platform/paths.js';

const require = createRequire(import.meta.url);

/** `npm run build` compiles all pages there, for the tests too: compiling them at start-up would take two seconds and 40 MB that never come back. */
export const compiledFolder = join(projectRoot, 'dist/templates');

const OPTIONS: Options = { basedir: projectRoot, compileDebug: false };

/** Every pug file of the server, relative to the project. */
export function listTemplates(): string[] {
  return ['views', 'plugins'].flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.pug'))
      .map((name) => join(folder, name)),
  );
}

export const compiledPath = (path: string): string => join(compiledFolder, path.replace(/\.pug$/, '.cjs'));

/** A file that was changed after the build counts, and so does every page that may include it. */
let isBuildCurrent: boolean | undefined;
function isCurrent(): boolean {
  isBuildCurrent ??= existsSync(compiledFolder) && isNewest(listTemplates());
  return isBuildCurrent;
}

const changedAt = (file: string): number => statSync(file).mtimeMs;
const isNewest = (paths: readonly string[]): boolean => {
  const sources = Math.max(...paths.map((path) => changedAt(join(projectRoot, path))));
  return paths.every((path) => existsSync(compiledPath(path)) && changedAt(compiledPath(path)) >= sources);
};

/**
 * The template of a pug file: as compiled by the build, or compiled here where there is no build, or one that is out of date.
 * @param path relative to the project.
 */
export function loadTemplate(path: string): compileTemplate {
  return isCurrent() ? (require(compiledPath(path)) as compileTemplate) : compileTemplateHere(path);
}

export const compileTemplateHere = (path: string): compileTemplate =>
  compiler().compileFile(join(projectRoot, path), OPTIONS);

/** A CommonJS module whose only export is the template. */
export const compileToModule = (path: string): string => {
  const code = compiler().compileFileClient(join(projectRoot, path), { ...OPTIONS, name: 'template' });
  return `${code}\nmodule.exports = template;\n`;
};

/** Loaded only when it is asked for: a built server does without it. */
const compiler = (): typeof import('pug') => require('pug');
