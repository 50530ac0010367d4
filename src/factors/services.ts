import type { Engine, EngineParts } from './engine-contract.js';

/** What a method does besides proving somebody: its work from the outbox, what its services post and its clients ask, what it costs. */
export function createServices({
  factors,
}: EngineParts): Pick<Engine, 'warmUp' | 'deliver' | 'receive' | 'apis' | 'sites' | 'delivery' | 'keys'> {
  return {
    async warmUp() {
      await Promise.all([...factors.values()].map((factor) => factor.warmUp?.()));
    },
    async deliver({ method, payload }, attempt) {
      const deliver = factors.get(method)?.deliver;
      if (!deliver) throw Object.assign(new Error('nobody delivers for this method'), { code: 'UNKNOWN_METHOD' });
      await deliver(payload, attempt);
    },
    receive: async (methodId, callback) => (await factors.get(methodId)?.receive?.(callback)) ?? 'unknown',
    apis: () => [...factors.values()].flatMap(({ api, method }) => (api ? [{ ...api, method }] : [])),
    sites: () => [...factors.values()].flatMap(({ site }) => (site ? [site] : [])),
    delivery: (methodId) => factors.get(methodId)?.delivery,
    keys: (methodId) => factors.get(methodId)?.keys,
  };
}
