import type { mongo } from 'mongoose';
import type { Database } from '../../src/platform/database.js';

type Call = (operation: string, ...args: unknown[]) => unknown;

/** A database whose calls of the provider's collection a test fails or holds up. */
export class UnsteadyDatabase {
  /** Fails the calls that a test names. */
  fails: (operation: string, ...args: unknown[]) => boolean = () => false;
  /** Fails them too, when they are done already. */
  losesAnswer: (operation: string, ...args: unknown[]) => boolean = () => false;
  /** Holds up the calls that a test names. */
  holds: (operation: string, ...args: unknown[]) => Promise<void> | undefined = () => undefined;

  steady(): void {
    this.fails = () => false;
    this.losesAnswer = () => false;
    this.holds = () => undefined;
  }

  over<T extends Database>(database: T): T {
    const call = async (through: Call, operation: string, args: unknown[]): Promise<unknown> => {
      await this.holds(operation, ...args);
      const answer = await through(...(args as Parameters<Call>));
      if (this.losesAnswer(operation, ...args)) throw new Error('the answer did not arrive');
      return answer;
    };
    return {
      ...database,
      collection: <D extends mongo.Document>(name: string) => {
        const collection = database.collection<D>(name);
        if (name !== 'oidc') return collection;
        const watched = Object.create(collection) as typeof collection;
        for (const operation of ['aggregate', 'findOne', 'updateOne', 'bulkWrite'] as const) {
          const through = (collection[operation] as Call).bind(collection);
          Object.defineProperty(watched, operation, {
            value: (...args: unknown[]) => {
              if (this.fails(operation, ...args)) throw new Error('the disk is full');
              return operation === 'aggregate'
                ? through(...(args as Parameters<Call>))
                : call(through, operation, args);
            },
          });
        }
        return watched;
      },
    };
  }

  /** Holds the next end of a request that writes this. */
  hold(word: string): { reached: Promise<void>; release(): void } {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((reach) => {
      this.holds = (operation, ...args) => {
        if (!isFlush(operation) || !JSON.stringify(args).includes(word)) return undefined;
        this.holds = () => undefined;
        reach();
        return released;
      };
    });
    return { reached, release };
  }
}

/** Writes of the end of a request: one, or several. */
export const isFlush = (operation: string): boolean => operation === 'bulkWrite' || operation === 'updateOne';
