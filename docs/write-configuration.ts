/** Writes the pages that are made from the code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../src/platform/paths.js';
import { configurationPage } from './configuration.js';

writeFileSync(join(projectRoot, 'docs/configuration.md'), configurationPage());
