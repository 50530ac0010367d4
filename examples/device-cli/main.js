#!/usr/bin/env node
// @ts-check
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './commands.js';

process.exitCode = await run(process.argv.slice(2), {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  pause,
});
