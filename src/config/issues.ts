import { z } from 'zod';
import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';

/** What is wrong with a value, in the words of somebody who edits a file. */
export const explain: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  if (issue.input === null) return 'has no value';
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}`;
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`;
  return undefined;
};

const article = (expected: string): string =>
  ({ object: 'a group of settings', array: 'a list', int: 'a whole number', boolean: 'true or false' })[expected] ??
  `a ${expected}`;

/** One problem per wrong value, one per unknown name. */
export function describe(issue: z.core.$ZodIssue): ConfigurationProblem[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: pathText([...issue.path, key]), message: 'is not a setting' }));
  return [{ path: pathText(issue.path), message: issue.message }];
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    '',
  );

/** Makes what reads its options from the file itself, and says what is wrong with them like everything else. @throws ConfigurationError */
export function inConfigurationWords<Made>(make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (error instanceof z.ZodError) throw new ConfigurationError(error.issues.flatMap(describe));
    throw error;
  }
}
