import type { Secrets } from '../../config/index.js';
import { ERROR, type Finding, OK } from '../../platform/finding.js';

/** What `openssl rand` makes has about 30 different bytes in 32; a phrase, or one character over and over, far fewer. */
const LEAST_DIFFERENT = 16;

const isWeak = (key: Uint8Array): boolean => new Set(key).size < LEAST_DIFFERENT;

/** Their length was checked when they were read; this is about what they are made of. */
export function checkSecrets({ sealingKeys, cookieKeys, indexKey }: Secrets): Finding[] {
  const keys: [string, Buffer][] = [
    ...sealingKeys.map(({ id, key }): [string, Buffer] => [`sealing key ${id}`, key]),
    ...cookieKeys.map((key, index): [string, Buffer] => [`cookie key ${index + 1}`, Buffer.from(key)]),
    ['index key', indexKey],
  ];
  const findings = keys.flatMap(([name, key], index) => {
    const text = key.toString('base64');
    const twin = keys.slice(0, index).find(([, other]) => other.equals(key) || other.toString() === text);
    return [
      ...(isWeak(key) ? [ERROR(`${name} is guessable: make one with \`openssl rand -base64 32\``)] : []),
      ...(twin ? [ERROR(`${name} is the same as ${twin[0]}: each needs one of its own`)] : []),
    ];
  });
  return findings.length > 0 ? findings : [OK(`secrets: ${keys.length} keys, each random and its own`)];
}
