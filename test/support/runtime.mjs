import asyncHooks from 'node:async_hooks';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SourceTextModule, SyntheticModule } from 'node:vm';
import JestRuntime from 'jest-runtime';

const require = createRequire(import.meta.url);

const AS_MODULE = {
  isInternalModule: false,
  supportsDynamicImport: true,
  supportsExportNamespaceFrom: true,
  supportsStaticESM: true,
  supportsTopLevelAwait: true,
};

/** What is no test: loaded once in a worker, not anew for each of its files. */
class SharedModules {
  /** Promises of modules by path, not all of them linked. */
  #modules = new Map();
  #last = Promise.resolve();

  constructor(resolution, transformCache) {
    this.resolution = resolution;
    this.transformCache = transformCache;
  }

  /** One after another: a graph that is being linked cannot be linked by somebody else. */
  evaluated(path) {
    const module = this.#last.then(async () => {
      const found = await this.#module(path);
      if (found.status === 'unlinked') {
        await found.link(async (specifier, from) => this.#module(await this.#resolve(specifier, from.identifier)));
      }
      await found.evaluate();
      return found;
    });
    this.#last = module.catch(() => {});
    return module;
  }

  async #resolve(specifier, from) {
    return isBuiltin(specifier) ? specifier : this.resolution.resolveEsmAsync(from, specifier);
  }

  #module(path) {
    const module = this.#modules.get(path) ?? (path.endsWith('.ts') ? this.#own(path) : foreign(path));
    this.#modules.set(path, module);
    return module;
  }

  async #own(path) {
    return new SourceTextModule(this.transformCache.transform(path, AS_MODULE), {
      identifier: path,
      initializeImportMeta: (meta) => {
        Object.assign(meta, { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) });
      },
      importModuleDynamically: async (specifier) => this.evaluated(await this.#resolve(specifier, path)),
    });
  }
}

/** A module as Node itself loads it. */
async function foreign(path) {
  const url = isBuiltin(path) ? path : pathToFileURL(path).href;
  const exports = await import(url, path.endsWith('.json') ? { with: { type: 'json' } } : {});
  const names = Object.keys(exports);
  const module = new SyntheticModule(
    names,
    () => {
      for (const name of names) module.setExport(name, exports[name]);
    },
    { identifier: path },
  );
  await module.link(() => {});
  await module.evaluate();
  return module;
}

/** What the runner of one file stores for what it awaits; left on, it would make every promise of the next files a little slower. */
let storages = [];

/** A module, with the storages that it makes noted. */
function requireNoting(path) {
  const own = Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage');
  const noting = class extends asyncHooks.AsyncLocalStorage {
    constructor(...args) {
      super(...args);
      storages.push(this);
    }
  };
  Object.defineProperty(asyncHooks, 'AsyncLocalStorage', { value: noting, configurable: true });
  try {
    return require(path);
  } finally {
    Object.defineProperty(asyncHooks, 'AsyncLocalStorage', own);
  }
}

let shared;

/** jest's own, with only the files under `test` in its hands: what they import from elsewhere is Node's, in Node's own realm. */
export default class Runtime extends JestRuntime {
  #mocksModules = false;

  constructor(config, ...others) {
    super(config, ...others);
    shared ??= new SharedModules(this._resolution, this.transformCache);
    const tests = `${config.rootDir}${sep}test${sep}`;
    const { esmLoader } = this;
    const { loadEsmModule, loadCjsAsEsm } = esmLoader;
    const sharedOr = (path, load) => {
      const isShared = path.endsWith('.ts') ? !path.startsWith(tests) && !this.#mocksModules : true;
      return isShared ? shared.evaluated(path) : load();
    };
    // Else newer Nodes load whole graphs at once, past what follows.
    this._resolution.hasDistinctAsyncResolver = () => true;
    Object.assign(esmLoader, {
      getContext: () => undefined,
      loadEsmModule: (...args) => sharedOr(args[0], () => loadEsmModule.apply(esmLoader, args)),
      loadCjsAsEsm: (...args) => sharedOr(args[1], () => loadCjsAsEsm.apply(esmLoader, args)),
    });
    this.coreModule.require = require;
  }

  /** A test that replaces a module has the product to itself. */
  setModuleMock(...args) {
    this.#mocksModules = true;
    super.setModuleMock(...args);
  }

  /** jest's runner of tests, whose state is of one file. */
  requireInternalModule(from) {
    delete require.cache[from];
    globalThis[Symbol.for('EVENT_HANDLERS')] = undefined;
    for (const storage of storages) storage.disable();
    storages = [];
    return requireNoting(from);
  }

  installGetBuiltinModule() {}
}
