import { slowDerive } from '../platform/slow-hash.js';
import type { Factor } from './contract.js';
import type { Engine, EngineOptions, EngineParts } from './engine-contract.js';
import { createEnrolment } from './enrolment.js';
import { createListing } from './listing.js';
import { createManagement } from './management.js';
import { createSignIn } from './sign-in.js';
import { createFactorStore } from './store.js';

/**
 * Puts the configured methods behind one door.
 * @throws what a method's `parseConfig` throws, and TypeError when a method stands in the list twice.
 */
export function createEngine(options: EngineOptions): Engine {
  const { clock, random, secretBox, logger, issuerName } = options;
  const factors = new Map<string, Factor>();
  for (const { method, config } of options.methods) {
    if (factors.has(method.id)) throw new TypeError(`the method ${method.id} is listed twice`);
    const store = createFactorStore<Record<string, unknown>>(method.id, options);
    factors.set(
      method.id,
      method.create(method.parseConfig(config), {
        clock,
        random,
        secretBox,
        slowDerive,
        logger,
        issuerName,
        factors: store,
      }),
    );
  }
  const parts: EngineParts = { ...options, factors };
  const listing = createListing(parts);
  const withListing = { ...parts, forAccount: listing.forAccount };
  return { ...listing, ...createSignIn(withListing), ...createEnrolment(withListing), ...createManagement(parts) };
}
