import type { Environment } from '../config/index.js';
import type { Options, Values } from './arguments.js';

/** What a command works with: never `process` or `console` themselves. */
export interface CliIo {
  env: Environment;
  /** One line of the answer. */
  out(line: string): void;
  /** One line of progress or complaint. */
  err(line: string): void;
}

export interface Command<O extends Options = Options> {
  /** As it is typed: `accounts add`. */
  name: string;
  help: string;
  options: O;
  run(values: Values<O>, io: CliIo): Promise<void>;
}

/** Refused for a reason the operator can do something about. */
export class CommandRefused extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'CommandRefused';
  }
}

export const CONFIG = { value: 'FILE', required: true, help: 'the configuration file' } as const;

/** Keeps the types of one command's options between its table and its work. */
export const command = <O extends Options>(definition: Command<O>): Command => definition as unknown as Command;
