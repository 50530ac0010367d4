import { statSync } from 'node:fs';

/** Their files take longest, and mostly wait: they come first, so that none of them runs alone at the end. */
const LONG = /[\\/]test[\\/](browser|nodes)[\\/]/;

/** The order of the files: what is known to be long, then by size. jest's own order knows durations only after a first run. */
export default class LongestFirst {
  sort(tests) {
    const weight = new Map(tests.map(({ path }) => [path, statSync(path).size + (LONG.test(path) ? 1e6 : 0)]));
    return tests.toSorted((one, other) => weight.get(other.path) - weight.get(one.path));
  }
  cacheResults() {}
  allFailedTests(tests) {
    return tests;
  }
}
