import { parseArgs } from 'node:util';
import { OPERATIONS, type Operation } from './operations.js';

export interface BenchOptions {
  /** Of each operation in each round. */
  seconds: number;
  rounds: number;
  /** Of load on each server before anything is measured. */
  warmUpSeconds: number;
  accounts: number;
  /** Instead of the reference: as many accounts as this against few. */
  many: number | undefined;
  /** Where the time goes, function by function, instead of how much there is. */
  profile: boolean;
  /** What is profiled. */
  operation: Operation;
}

/** @throws TypeError for a flag that is unknown, no positive number, or no operation of ours. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '6' },
      rounds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '20' },
      accounts: { type: 'string', default: '2000' },
      many: { type: 'string' },
      profile: { type: 'boolean', default: false },
      operation: { type: 'string', default: 'full sign-in' },
    },
  });
  const positive = (name: 'seconds' | 'rounds' | 'warm-up' | 'accounts' | 'many'): number => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new TypeError(`--${name} must be a number above 0`);
    return value;
  };
  const operation = OPERATIONS.find((name) => name === values.operation);
  if (!operation) throw new TypeError(`--operation must be one of: ${OPERATIONS.join(', ')}`);
  return {
    seconds: positive('seconds'),
    rounds: Math.ceil(positive('rounds')),
    warmUpSeconds: positive('warm-up'),
    accounts: Math.ceil(positive('accounts')),
    many: values.many === undefined ? undefined : Math.ceil(positive('many')),
    profile: values.profile,
    operation,
  };
}
