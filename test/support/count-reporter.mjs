/** Closes the run with the one line that CI reads. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : '';
    this.line = `${results.numPassedTests} passed, ${failed} failed${skipped}`;
    setImmediate(() => process.stdout.write(`\n${this.line}\n`));
  }
}
