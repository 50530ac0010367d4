/** The operator's command line: starting the server, and what has to be done to accounts and clients without a page. */
export { type CliIo, runCli } from './run.js';
