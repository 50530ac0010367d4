import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { configurationPage, undocumented } from '../../docs/configuration.js';
import { projectRoot } from '../../src/platform/paths.js';

test('every setting is explained, and nothing else', () => {
  expect(undocumented()).toEqual({ missing: [], stale: [] });
});

test('docs/configuration.md is what the schema says: `npm run docs` writes it anew', () => {
  expect(readFileSync(join(projectRoot, 'docs/configuration.md'), 'utf8')).toBe(configurationPage());
});
