import { join } from 'node:path';
import { AppError } from '../errors.js';
import { projectRoot } from '../platform/paths.js';
import { type RunningDemo, runDemo } from './run.js';

/** `npm run demo`: everything on this machine, until Ctrl-C. */

const STOP_WITHIN_MS = 5_000;

const say = (line: string): void => console.log(line);

function welcome({ issuer, baseUrl }: RunningDemo): void {
  say('');
  say(`Ready: ${issuer}`);
  say('');
  say(`  Open ${baseUrl}/ in a browser: a tour in ten steps, with the accounts and their passwords.`);
  say('  Press Ctrl-C to stop. Accounts and settings stay for the next start.');
  say('');
}

function fail(error: unknown): never {
  if (error instanceof AppError) console.error(`\nThe demonstration cannot start. ${error.message}`);
  else console.error('\nThe demonstration cannot start.', error);
  process.exit(1);
}

/** The first signal stops in order, the second one at once. */
function stopOnSignals(running: Promise<RunningDemo>): void {
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(130);
    isStopping = true;
    say('\nStopping. Press Ctrl-C again to stop at once.');
    setTimeout(() => {
      console.error('Not everything stopped in time.');
      process.exit(1);
    }, STOP_WITHIN_MS).unref();
    running
      .then(({ stop }) => stop())
      .then(() => process.exit(0))
      .catch(() => process.exit(1));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
}

const running = runDemo({ configFile: join(projectRoot, 'config/demo.yaml'), env: process.env, say });
stopOnSignals(running);
running.then(welcome, fail);
