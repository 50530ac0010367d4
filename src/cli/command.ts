import type { Environment } from '../config/index.js';
import type { Options, Values } from './arguments.js';

/** What a command works with: never `process` or `console` themselves. */
export interface CliIo {
  env: Environment;
  /** One line of the answer. */
  out(line: string): void;
  /** One line of progress or complaint. */
  err(line: string): void;
  /** Where complaints go, if somebody watches: what is written there can be written over. */
  terminal?: { write(text: string): void };
  /** What is piped in. */
  input?: AsyncIterable<Uint8Array>;
}

export interface Command<O extends Options = Options> {
  /** As it is typed: `accounts add`. */
  name: string;
  help: string;
  options: O;
  /** What stands without an option's name; must be given where a command has one. */
  positional?: { name: string; help: string };
  run(values: Values<O>, io: CliIo, positional: string): Promise<void>;
}

/** Refused for a reason the operator can do something about. */
export class CommandRefused extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'CommandRefused';
  }
}

export const CONFIG = { value: 'FILE', required: true, help: 'the configuration file' } as const;
export const LOGIN = { value: 'LOGIN', required: true, help: 'of the employee' } as const;
export const JSON_OUTPUT = { help: 'answers in JSON, for programs' } as const;

/** Who did it, wherever that is written down. */
export const OPERATOR = { type: 'operator' } as const;

/** Keeps the types of one command's options between its table and its work. */
export const command = <O extends Options>(definition: Command<O>): Command => definition as unknown as Command;
