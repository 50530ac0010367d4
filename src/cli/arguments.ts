import { parseArgs } from 'node:util';

/** One option of a command. */
export interface Option {
  /** What stands in the help instead of the value; without it the option is a switch. */
  value?: string;
  required?: boolean;
  /** May be given several times. */
  multiple?: boolean;
  help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** Values by option: one, several, or true. */
export type Values<O extends Options> = {
  [Name in keyof O]: O[Name] extends { value: string }
    ? O[Name] extends { multiple: true }
      ? string[]
      : O[Name] extends { required: true }
        ? string
        : string | undefined
    : boolean;
};

export type Read<O extends Options> =
  | { ok: true; values: Values<O>; positional: string }
  | { ok: false; problems: string[] };

/** Reads a command's arguments and finds ALL that is wrong with them: unknown, missing, repeated, without a value. */
export function readArguments<O extends Options>(
  options: O,
  argv: readonly string[],
  wanted?: { name: string },
): Read<O> {
  const problems: string[] = [];
  const { tokens, valueless } = tokenise(options, [...argv]);
  problems.push(...valueless.map((name) => `--${name} needs a value`));
  let positional: string | undefined;
  const given = new Map(valueless.map((name) => [name, ['']]));
  for (const token of tokens) {
    if (token.kind === 'positional' && wanted && positional === undefined) positional = token.value;
    else if (token.kind === 'positional') problems.push(`${token.value} is not expected here`);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    const seen = given.get(token.name);
    if (!option) problems.push(`${token.rawName} is not an option of this command`);
    else if (option.value && !token.value) problems.push(`--${token.name} needs a value`);
    else if (!option.value && token.value !== undefined) problems.push(`--${token.name} takes no value`);
    else if (seen && !option.multiple) problems.push(`--${token.name} is given twice`);
    given.set(token.name, [...(seen ?? []), token.value ?? '']);
  }
  for (const [name, { required }] of Object.entries(options))
    if (required && !given.has(name)) problems.push(`--${name} is missing`);
  if (wanted && !positional) problems.push(`${wanted.name} is missing`);
  if (problems.length > 0) return { ok: false, problems };
  const values = Object.entries(options).map(([name, { value, multiple }]) => {
    const all = given.get(name) ?? [];
    return [name, value ? (multiple ? all : all[0]) : given.has(name)];
  });
  return { ok: true, values: Object.fromEntries(values) as Values<O>, positional: positional ?? '' };
}

/** In `--name --login x` the next option is not the name that somebody forgot to give. */
function tokenise(options: Options, args: string[]) {
  const valueless: string[] = [];
  const types = Object.entries(options).map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean' }]);
  for (;;) {
    const { tokens } = parseArgs({ args, options: Object.fromEntries(types), strict: false, tokens: true });
    const greedy = tokens.find(
      (token) => token.kind === 'option' && token.inlineValue === false && token.value.startsWith('--'),
    );
    if (greedy?.kind !== 'option') return { tokens, valueless };
    valueless.push(greedy.name);
    args.splice(greedy.index, 1);
  }
}
