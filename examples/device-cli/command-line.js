// @ts-check
import { DeviceError } from './errors.js';

const OPTIONS = new Set(['store', 'account', 'issuer', 'login', 'code', 'model']);

/**
 * Everything that is not `--option value` is an argument, also with a hyphen in front: an id may begin with one.
 *
 * @param {readonly string[]} argv
 * @returns {{ words: string[], options: Record<string, string | undefined> }}
 */
export function parseCommandLine(argv) {
  const words = [];
  /** @type {Record<string, string | undefined>} */
  const options = {};
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const option = /^--([a-z]+)(?:=(.*))?$/s.exec(word);
    if (!option) {
      words.push(word);
      continue;
    }
    const [, name = '', inline] = option;
    const value = inline ?? argv[++at];
    if (!OPTIONS.has(name)) throw new DeviceError('NOT_LIKE_THAT', `there is no option --${name}`);
    if (value === undefined) throw new DeviceError('NOT_LIKE_THAT', `--${name} needs a value`);
    options[name] = value;
  }
  return { words, options };
}
