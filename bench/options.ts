import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Of each operation in each round. */
  seconds: number;
  rounds: number;
  /** Of load on each server before anything is measured. */
  warmUpSeconds: number;
  accounts: number;
  /** Where the time goes, function by function, instead of how much there is. */
  profile: boolean;
}

/** @throws TypeError for a flag that is unknown or no positive number. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '6' },
      rounds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '20' },
      accounts: { type: 'string', default: '2000' },
      profile: { type: 'boolean', default: false },
    },
  });
  const positive = (name: 'seconds' | 'rounds' | 'warm-up' | 'accounts'): number => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new TypeError(`--${name} must be a number above 0`);
    return value;
  };
  return {
    seconds: positive('seconds'),
    rounds: Math.ceil(positive('rounds')),
    warmUpSeconds: positive('warm-up'),
    accounts: Math.ceil(positive('accounts')),
    profile: values.profile,
  };
}
