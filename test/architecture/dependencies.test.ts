import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../src/platform/paths.js';
import * as rules from './rules.js';
import { type Module, parseModule, readModules } from './source-graph.js';

const packageFile = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
const product = readModules('src', 'plugins');
const examples = readModules('examples');
const everything = [...product, ...examples, ...readModules('test', 'bench')];

/** A rule, what it is asked about, and a made-up file that breaks it: a rule that finds nothing there finds nothing anywhere. */
const table: [string, rules.Rule, Module[], Record<string, string>][] = [
  [
    'a plugin imports no other plugin',
    rules.pluginsAreIslands,
    product,
    { 'plugins/a/index.ts': "import { b } from '../b/index.js';" },
  ],
  [
    'a plugin takes only types from the platform',
    rules.pluginsAreIslands,
    product,
    { 'plugins/a/x.ts': "import { systemClock } from '../../src/platform/clock.js';" },
  ],
  [
    'a plugin does not know the engine',
    rules.pluginsAreIslands,
    product,
    { 'plugins/a/x.ts': "import type { Engine } from '../../src/factors/index.js';" },
  ],
  [
    'only the composition chooses plugins',
    rules.pluginsAreChosenInOnePlace,
    product,
    { 'src/main.ts': "export { a } from '../plugins/a/index.js';" },
  ],
  [
    'the policy imports types alone',
    rules.policyIsPure,
    product,
    { 'src/policy/x.ts': "import { readFile } from 'node:fs/promises';" },
  ],
  [
    'only the folders around it touch the provider',
    rules.providerStaysBehindItsFolders,
    product,
    { 'src/http/x.ts': "import { errors } from 'oidc-provider';" },
  ],
  [
    'a vendor SDK has one importing file',
    rules.vendorsHaveOneDoor,
    product,
    { 'src/a/x.ts': "import 'uqr';", 'src/b/x.ts': "await import('uqr');" },
  ],
  [
    'the server needs no package of development',
    rules.theServerRunsWithoutDevelopmentPackages(packageFile.dependencies),
    product,
    { 'src/a/x.ts': "import ajv from 'ajv';" },
  ],
  [
    'a folder is entered by its door',
    rules.foldersAreEnteredByTheirDoor,
    product,
    { 'src/a/x.ts': "import { y } from '../b/y.js';" },
  ],
  [
    'a model is private to its folder',
    rules.modelsStayInTheirFolder,
    product,
    { 'src/a/x.ts': "import type { Y } from '../b/y.js';", 'src/b/y.ts': 'export const schema = new Schema({});' },
  ],
  [
    'imports make no circle',
    rules.importsAreNoCircle,
    product,
    { 'src/a/x.ts': "import './y.js';", 'src/a/y.ts': "import './z.js';", 'src/a/z.ts': "export * from './x.js';" },
  ],
  [
    'the app on the phone takes nothing from the server',
    rules.thePhoneIsAnIsland,
    product,
    { 'plugins/app/phone/web/x.ts': "import type { Factor } from '../../../../src/factors/contract.js';" },
  ],
  [
    'the server takes nothing from the app on the phone',
    rules.thePhoneIsAnIsland,
    product,
    { 'plugins/app/x.ts': "import { EN } from './phone/web/sentences/en.js';" },
  ],
  [
    'an example stands on its own',
    rules.examplesNeedNothingOfOurs,
    [...product, ...examples],
    { 'examples/a/x.js': "import { errors } from '../../src/errors.js';" },
  ],
  [
    'a folder that seals says where',
    rules.whoeverSealsSaysWhere,
    product,
    { 'src/a/x.ts': 'export const sealed = secretBox.seal(secret, place);' },
  ],
  ['no folder or file is a catch-all', rules.noFolderIsACatchAll, everything, { 'src/utils/x.ts': '' }],
  ['names are kebab-case', rules.namesAreKebabCase, everything, { 'src/a/fooBar.ts': '' }],
  ['no file has more than 400 lines', rules.filesAreShort, everything, { 'src/a/x.ts': 'x;\n'.repeat(401) }],
  [
    'an index.ts opens with what its folder is for',
    rules.doorsSayWhatTheyAreFor,
    product,
    { 'src/a/index.ts': "export * from './x.js';" },
  ],
];

describe('the house', () => {
  it.each(table)('%s', (_name, rule, modules, broken) => {
    const madeUp = Object.entries(broken).map(([path, source]) => {
      const module = parseModule(path, source);
      return {
        ...module,
        imports: module.imports.map((one) => ({ ...one, target: one.target.replace(/\.js$/, '.ts') })),
      };
    });
    expect(rule(madeUp)).not.toEqual([]);
    expect(rule(modules)).toEqual([]);
  });

  it('is read as a whole', () => {
    expect(product.length).toBeGreaterThan(40);
    expect(product.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
    expect(examples.flatMap(({ imports }) => imports).length).toBeGreaterThan(10);
    const missing = product.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => /^(?:src|plugins)\/.*\.js$/.test(target))
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(missing).toEqual([]);
  });
});
