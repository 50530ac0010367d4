import { z } from 'zod';
import { createPostOutside } from '../platform/post-outside.js';
import { slowDerive } from '../platform/slow-hash.js';
import { createAdoption } from './adoption.js';
import type { Factor, FactorDeps } from './contract.js';
import type { Engine, EngineOptions, EngineParts } from './engine-contract.js';
import { createEnrolment } from './enrolment.js';
import { createGuesses } from './guessing.js';
import { createListing } from './listing.js';
import { createManagement } from './management.js';
import { createServices } from './services.js';
import { createSignIn } from './sign-in.js';
import { createFactorStore } from './store.js';
import { createWatching } from './watching.js';

/**
 * Puts the configured methods behind one door.
 * @throws ZodError with everything that is wrong with the methods' options, as `methods[1].…`; TypeError when a method stands in the
 * list twice.
 */
export function createEngine(options: EngineOptions): Engine {
  const { readSecret = () => 'not-set', postOutside = createPostOutside() } = options;
  const problems: z.core.$ZodIssue[] = [];
  const factors = new Map<string, Factor>();
  for (const [place, { method, config }] of options.methods.entries()) {
    if (factors.has(method.id)) throw new TypeError(`the method ${method.id} is listed twice`);
    const deps: FactorDeps = {
      ...options,
      slowDerive,
      postOutside,
      async findAccount(id) {
        const account = await options.findAccount(id);
        return account?.active ? account : undefined;
      },
      giveUp: async (account, id, origin) =>
        (await whole.remove({ ...account, active: true }, id, origin)) === 'removed',
      guesses: createGuesses(options, method.id),
      factors: createFactorStore(method.id, { ...options, methods: factors }),
      post: (accountId, payload, unit) => options.post(accountId, { method: method.id, payload }, unit),
    };
    try {
      factors.set(method.id, method.create(method.parseConfig(config, readSecret), deps));
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      problems.push(...error.issues.map((issue) => ({ ...issue, path: ['methods', place, ...issue.path] })));
    }
  }
  if (problems.length > 0) throw new z.ZodError(problems);
  const parts: EngineParts = { ...options, factors };
  const listing = createListing(parts);
  const withListing = { ...parts, ...listing };
  const engine = {
    ...listing,
    ...createSignIn(withListing),
    ...createEnrolment(withListing),
    ...createAdoption(parts),
    ...createManagement(parts),
    ...createServices(parts),
    ...createWatching(parts),
  };
  const whole: Engine = options.onChange ? telling(engine, options.onChange) : engine;
  return whole;
}

/** The same, with every change of what an account has set up told afterwards. */
function telling(engine: Engine, onChange: NonNullable<EngineOptions['onChange']>): Engine {
  return {
    ...engine,
    async confirmEnrolment(account, ...rest) {
      const result = await engine.confirmEnrolment(account, ...rest);
      if (result.status === 'enrolled') await onChange(account.id);
      return result;
    },
    async remove(account, ...rest) {
      const result = await engine.remove(account, ...rest);
      if (result === 'removed') await onChange(account.id);
      return result;
    },
    async discard(accountId, factorId) {
      const isGone = await engine.discard(accountId, factorId);
      if (isGone) await onChange(accountId);
      return isGone;
    },
  };
}
