import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { parseSync } from '@swc/core';
import { projectRoot } from '../../src/platform/paths.js';

export interface Import {
  /** A path from the project's root (`src/app.ts`), or the name of a package (`oidc-provider`, `node:fs`). */
  target: string;
  /** True when nothing of it is left at run time. */
  isTypeOnly: boolean;
}

export interface Module {
  /** From the project's root, with slashes. */
  path: string;
  lines: number;
  firstLine: string;
  /** True for a file that defines a mongoose model. */
  hasModel: boolean;
  /** Seals something, and says where sealed values are kept. */
  seals: boolean;
  saysWhereSealed: boolean;
  imports: Import[];
}

/** `@scope/name/deep` and `name/deep` are imports of the package. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const resolve = (from: string, specifier: string): string => {
  if (!specifier.startsWith('.')) return packageOf(specifier);
  const path = posix.join(posix.dirname(from), specifier);
  const source = path.replace(/\.js$/, '.ts');
  return existsSync(join(projectRoot, source)) ? source : path;
};

interface Declared {
  specifier: string;
  isTypeOnly: boolean;
}

function declaredImports(source: string): Declared[] {
  const { body } = parseSync(source, { syntax: 'typescript', target: 'es2022' });
  const found: Declared[] = [];
  for (const item of body) {
    if (item.type === 'ImportDeclaration') {
      const named = item.specifiers;
      const isEachType = named.length > 0 && named.every((one) => one.type === 'ImportSpecifier' && one.isTypeOnly);
      found.push({ specifier: item.source.value, isTypeOnly: item.typeOnly || isEachType });
    } else if (item.type === 'ExportAllDeclaration') {
      found.push({ specifier: item.source.value, isTypeOnly: false });
    } else if (item.type === 'ExportNamedDeclaration' && item.source) {
      const named = item.specifiers;
      const isEachType = named.length > 0 && named.every((one) => one.type === 'ExportSpecifier' && one.isTypeOnly);
      found.push({ specifier: item.source.value, isTypeOnly: item.typeOnly || isEachType });
    }
  }
  for (const [, specifier = ''] of source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ specifier, isTypeOnly: false });
  }
  return found;
}

export function parseModule(path: string, source: string): Module {
  return {
    path,
    lines: source.trimEnd().split('\n').length,
    firstLine: source.split('\n', 1)[0] ?? '',
    hasModel: /\bnew (?:mongoose\.)?Schema\b|\.model[<(]/.test(source),
    seals: /\bsecretBox\.seal\(/.test(source),
    saysWhereSealed: /\bSEALED\w*(?:: [^=\n]+)? =|^ {2}sealed: \[/m.test(source),
    imports: declaredImports(source).map(({ specifier, isTypeOnly }) => ({
      target: resolve(path, specifier),
      isTypeOnly,
    })),
  };
}

/** Examples run without a build. */
const isSource = (folder: string, name: string): boolean =>
  name.endsWith('.ts') || (folder === 'examples' && name.endsWith('.js'));

/** Every source file under the given folders of the project. */
export function readModules(...folders: string[]): Module[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && isSource(folder, entry.name))
      .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      .sort()
      .map((path) => parseModule(path, readFileSync(join(projectRoot, path), 'utf8'))),
  );
}

export const folderOf = (path: string): string => dirname(path);
