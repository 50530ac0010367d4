import { folderOf, type Import, type Module } from './source-graph.js';

/** A rule of the house: names what breaks it, in words that say what to do. */
export type Rule = (modules: Module[]) => string[];

const isOurs = (target: string): boolean => target.startsWith('src/') || target.startsWith('plugins/');

const eachImport = (modules: Module[], judge: (from: Module, to: Import) => string | undefined): string[] =>
  modules.flatMap((from) =>
    from.imports.flatMap((to) => {
      const why = judge(from, to);
      return why === undefined ? [] : [`${from.path} imports ${to.target}: ${why}`];
    }),
  );

/** `plugins/totp/index.ts` -> `plugins/totp`, `src/oidc/adapter/store.ts` -> `src/oidc`, `src/app.ts` -> `src/app.ts`. */
const topFolder = (path: string): string => path.split('/').slice(0, 2).join('/');

const PLUGIN_TYPES = /^src\/(?:platform\/.*|policy\/levels\.ts)$/;

export const pluginsAreIslands: Rule = (modules) =>
  eachImport(modules, (from, { target, isTypeOnly }) => {
    if (!from.path.startsWith('plugins/') || !isOurs(target) || topFolder(from.path) === topFolder(target)) return;
    if (target.startsWith('plugins/')) return 'a plugin never knows another';
    if (target === 'src/factors/contract.ts' || target === 'src/errors.ts') return;
    if (PLUGIN_TYPES.test(target))
      return isTypeOnly ? undefined : 'only types of it; the thing itself comes in as a dependency';
    return 'a plugin knows only the contract of factors, the errors, and types of the platform';
  });

const COMPOSERS = new Set(['src/app.ts', 'src/index.ts']);

export const pluginsAreChosenInOnePlace: Rule = (modules) =>
  eachImport(modules, (from, { target }) =>
    target.startsWith('plugins/') && !from.path.startsWith('plugins/') && !COMPOSERS.has(from.path)
      ? 'methods are chosen where the server is put together'
      : undefined,
  );

export const policyIsPure: Rule = (modules) =>
  eachImport(modules, (from, { target, isTypeOnly }) =>
    from.path.startsWith('src/policy/') && !target.startsWith('src/policy/') && !isTypeOnly
      ? 'the policy decides on what it is given, it imports types alone'
      : undefined,
  );

const NEAR_THE_PROVIDER =
  /^src\/(?:(?:oidc|interaction|account-pages|second-factor|sessions)\/.*|app(?:-contract)?\.ts)$/;

export const providerStaysBehindItsFolders: Rule = (modules) =>
  eachImport(modules, (from, { target }) =>
    target === 'oidc-provider' && !NEAR_THE_PROVIDER.test(from.path)
      ? 'only the folders around it know the provider'
      : undefined,
  );

const VENDORS = [
  'otplib',
  '@node-rs/argon2',
  'bcrypt',
  'nodemailer',
  'mongodb-memory-server',
  'uqr',
  'standardwebhooks',
  'twilio',
  'libphonenumber-js',
  'web-push',
  'qr',
  'esbuild',
  'prom-client',
];

export const vendorsHaveOneDoor: Rule = (modules) =>
  VENDORS.flatMap((vendor) => {
    const importers = modules.filter(({ imports }) => imports.some(({ target }) => target === vendor));
    return importers.length > 1
      ? [`${vendor} is imported by ${importers.map(({ path }) => path).join(' and ')}: one file is its door`]
      : [];
  });

const BUILDS_THE_PHONE = /^plugins\/app\/phone\//;

/** An image holds what `npm ci --omit=dev` installs, and nothing else. */
export const theServerRunsWithoutDevelopmentPackages =
  (dependencies: Readonly<Record<string, string>>): Rule =>
  (modules) =>
    eachImport(modules, (from, { target, isTypeOnly }) => {
      if (isTypeOnly || isOurs(target) || BUILDS_THE_PHONE.test(from.path) || /^(?:node:|\.)/.test(target)) return;
      const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/');
      return name in dependencies ? undefined : 'not among the dependencies of package.json';
    });

const DOOR = /\/(?:index|contract)\.ts$|^src\/policy\/levels\.ts$|^src\/platform\/[^/]+\.ts$|^src\/[^/]+\.ts$/;

/** Types may come from where they are written: they bind nobody at run time. */
export const foldersAreEnteredByTheirDoor: Rule = (modules) =>
  eachImport(modules, (from, { target, isTypeOnly }) =>
    isOurs(target) && !isTypeOnly && topFolder(from.path) !== topFolder(target) && !DOOR.test(target)
      ? 'a folder is entered by its index.ts or contract.ts'
      : undefined,
  );

export const modelsStayInTheirFolder: Rule = (modules) => {
  const models = new Set(modules.filter(({ hasModel }) => hasModel).map(({ path }) => path));
  return eachImport(modules, (from, { target }) =>
    models.has(target) && !target.endsWith('/index.ts') && folderOf(from.path) !== folderOf(target)
      ? 'a model is private to its folder, a service is the door'
      : undefined,
  );
};

/** What is left at run time decides: an import of types alone closes no circle. */
export const importsAreNoCircle: Rule = (modules) => {
  const graph = new Map(
    modules.map(({ path, imports }) => [path, imports.filter((one) => !one.isTypeOnly).map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: string[]): void => {
    const seenAt = way.indexOf(path);
    if (seenAt >= 0) circles.push(`${[...way.slice(seenAt), path].join(' -> ')}: a circle`);
    if (seenAt >= 0 || done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return circles;
};

const ON_THE_PHONE = /^plugins\/app\/phone\/(?:web|worker)\//;

/** What runs on a phone is bundled whole: nothing of the server may get into it, nor it into the server. */
export const thePhoneIsAnIsland: Rule = (modules) =>
  eachImport(modules, (from, { target }) => {
    if (ON_THE_PHONE.test(from.path))
      return ON_THE_PHONE.test(target) || target === 'qr' ? undefined : 'the app on the phone knows itself and qr';
    return ON_THE_PHONE.test(target) ? 'the server does not know what runs on the phone' : undefined;
  });

/** What each example may take from outside its folder. */
const PACKAGES_OF_EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'device-cli': ['jose'],
  'express-openid-connect': ['express', 'express-openid-connect'],
  'openid-client': ['openid-client'],
  plugin: ['countersign', 'oidc-provider', 'openid-client'],
};

/** What is written from a document alone shows that the document is enough. */
export const examplesNeedNothingOfOurs: Rule = (modules) =>
  eachImport(modules, (from, { target }) => {
    const [, example] = /^examples\/([^/]+)/.exec(from.path) ?? [];
    if (example !== undefined)
      return target.startsWith(`examples/${example}/`) ||
        target.startsWith('node:') ||
        PACKAGES_OF_EXAMPLES[example]?.includes(target)
        ? undefined
        : 'an example knows its document, node and the packages it is about';
    return target.startsWith('examples/') ? 'the product does not depend on an example' : undefined;
  });

const CATCH_ALL = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'shared', 'misc', 'lib']);

export const noFolderIsACatchAll: Rule = (modules) =>
  modules
    .filter(({ path }) => path.split('/').some((part) => CATCH_ALL.has(part.replace(/\.[tj]s$/, ''))))
    .map(({ path }) => `${path}: a name that says what it is for`);

export const namesAreKebabCase: Rule = (modules) =>
  modules
    .filter(
      ({ path }) =>
        !path.split('/').every((part) => /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?(?:\.d)?(?:\.[tj]s)?$/.test(part)),
    )
    .map(({ path }) => `${path}: kebab-case`);

export const filesAreShort: Rule = (modules) =>
  modules.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path} has ${lines} lines: none over 400`);

export const doorsSayWhatTheyAreFor: Rule = (modules) =>
  modules
    .filter(({ path, firstLine }) => path.endsWith('/index.ts') && !/^\/\*\* .+\. ?\*\/$/.test(firstLine))
    .map(({ path }) => `${path}: its first line is one sentence on what the folder is for`);

/** Else what it seals is lost with the key, and no command finds it. */
export const whoeverSealsSaysWhere: Rule = (modules) => {
  const saying = new Set(modules.filter((one) => one.saysWhereSealed).map(({ path }) => folderOf(path)));
  return modules
    .filter(({ path, seals }) => seals && !path.startsWith('src/platform/') && !saying.has(folderOf(path)))
    .map(({ path }) => `${path} seals, and its folder does not say where: SEALED, or sealed of a method`);
};
