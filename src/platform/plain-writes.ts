import type { mongo } from 'mongoose';

/** What a collection can write with: each takes its options last and answers with a promise. */
const WRITES = [
  'bulkWrite',
  'deleteMany',
  'deleteOne',
  'findOneAndDelete',
  'findOneAndReplace',
  'findOneAndUpdate',
  'insertMany',
  'insertOne',
  'replaceOne',
  'updateMany',
  'updateOne',
] as const;

type Write = (...args: readonly unknown[]) => Promise<unknown>;

const hasSession = (args: readonly unknown[]): boolean => {
  const options = args.at(-1);
  return typeof options === 'object' && options !== null && 'session' in options && options.session != null;
};

/**
 * The same collection, with every write that belongs to no session done by `plain`, which has connections of its own: a write waits in
 * MongoDB for an open transaction that has changed the same document, and keeps its connection while it waits.
 * @param check called before each of them.
 */
export function withPlainWrites<T extends mongo.Document>(
  collection: mongo.Collection<T>,
  plain: mongo.Collection<T>,
  check: () => void,
): mongo.Collection<T> {
  const routed = Object.create(collection) as mongo.Collection<T>;
  for (const name of WRITES) {
    const [within, outside] = [collection, plain].map((one) => (one[name] as Write).bind(one)) as [Write, Write];
    const write: Write = async (...args) => {
      if (hasSession(args)) return within(...args);
      check();
      return outside(...args);
    };
    Object.defineProperty(routed, name, { value: write, configurable: true, writable: true });
  }
  return routed;
}
