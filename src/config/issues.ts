import { z } from 'zod';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
import { similarName } from './similar-name.js';

/** What is wrong with a value, in the words of somebody who edits a file. */
export const explain: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  if (issue.input === null) return 'has no value';
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}`;
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`;
  if (issue.code === 'too_small') return bound(issue.inclusive ? 'at least' : 'more than', issue.minimum, issue.origin);
  if (issue.code === 'too_big') return bound(issue.inclusive ? 'at most' : 'less than', issue.maximum, issue.origin);
  if (issue.code === 'invalid_format') return FORMATS[issue.format] ?? 'is not written as it has to be';
  if (issue.code === 'invalid_key') return issue.issues[0]?.message;
  if (issue.code === 'invalid_union') return 'is none of the forms that may stand here';
  return undefined;
};

function bound(words: string, limit: number | bigint, origin: string): string {
  if (origin === 'string') return `must be ${words} ${limit} character${limit === 1 ? '' : 's'} long`;
  if (origin === 'array') return `must have ${words} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `must be ${words} ${limit}`;
}

const FORMATS: Readonly<Record<string, string>> = { email: 'must be an e-mail address', url: 'must be a URL' };

const article = (expected: string): string =>
  ({
    object: 'a group of settings',
    record: 'a group of settings',
    array: 'a list',
    int: 'a whole number',
    boolean: 'true or false',
  })[expected] ?? `a ${expected}`;

/**
 * One problem per wrong value, one per unknown name.
 * @param schema what was held against: says which names there are. @param thing what a name would stand for.
 */
export function describe(issue: z.core.$ZodIssue, schema?: z.ZodType, thing = 'setting'): ConfigurationProblem[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: pathText(issue.path), message: issue.message }];
  const names = schema ? namesAt(schema, issue.path) : [];
  return issue.keys.map((key) => {
    const meant = similarName(key, names);
    const message = `is not a ${thing}${meant ? `: did you mean ${meant}?` : ''}`;
    return { path: pathText([...issue.path, key]), message };
  });
}

/** The names that may stand at a place. */
function namesAt(schema: z.core.$ZodType, [step, ...rest]: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return namesAt(schema.unwrap(), step === undefined ? [] : [step, ...rest]);
  if (schema instanceof z.ZodPipe) return namesAt(schema.in, step === undefined ? [] : [step, ...rest]);
  if (schema instanceof z.ZodArray) return step === undefined ? [] : namesAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (step === undefined) return Object.keys(schema.shape);
  const next = schema.shape[String(step)];
  return next ? namesAt(next, rest) : [];
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    '',
  );

/** Reads what somebody wrote in a file: an issue that is made does not know the value any more, so its words come while it is. */
export function explained<Made>(read: () => Made): Made {
  const { customError } = z.config();
  z.config({ customError: explain });
  try {
    return read();
  } finally {
    z.config({ customError });
  }
}

/** Makes what reads its options from the file itself, and says what is wrong with them like everything else. @throws ConfigurationError */
export function inConfigurationWords<Made>(make: () => Made): Made {
  try {
    return explained(make);
  } catch (error) {
    if (error instanceof z.ZodError) throw new ConfigurationError(error.issues.flatMap((issue) => describe(issue)));
    throw error;
  }
}
