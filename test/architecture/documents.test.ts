/** What the documents promise is there, and what is there is in the documents. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { AUDIT_EVENTS } from '../../src/audit/contract.js';
import { PAGE_ERRORS } from '../../src/errors.js';
import { projectRoot } from '../../src/platform/paths.js';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

const documents = ['', 'bench', 'docs', 'docs/connect', ...examples()].flatMap((folder) =>
  readdirSync(join(projectRoot, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

function examples(): string[] {
  return readdirSync(join(projectRoot, 'examples')).map((name) => `examples/${name}`);
}

/** As the pages of repositories make them of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );

describe('links', () => {
  test.each(documents)('of %s lead somewhere', (path) => {
    const lost = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const found = file ? join(projectRoot, dirname(path), file) : join(projectRoot, path);
        if (!existsSync(found)) return true;
        return (
          anchor !== undefined &&
          (statSync(found).isDirectory() || !anchorsOf(readFileSync(found, 'utf8')).includes(anchor))
        );
      });
    expect(lost).toEqual([]);
  });
});

/** The first column of all tables. */
const named = (path: string): string[] => [...read(path).matchAll(/^\| `([\w ]+)` \|/gm)].map(([, name = '']) => name);

test('every error that a page can show is in docs/errors.md, with its status', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ]);
  expect(Object.fromEntries(rows)).toEqual(PAGE_ERRORS);
});

test('every audit event is in docs/audit-events.md, once', () => {
  expect(named('docs/audit-events.md').sort()).toEqual([...AUDIT_EVENTS].sort());
});
