#!/usr/bin/env -S node --max-old-space-size=512
// Without a bound Node sizes its heap by the machine and lets it fill before it collects: 100 MiB more for the same work.
import { runCli } from './run.js';

const io = {
  env: process.env,
  out: console.log,
  err: console.error,
  input: process.stdin,
  ...(process.stderr.isTTY ? { terminal: process.stderr } : {}),
};
process.exitCode = await runCli(process.argv.slice(2), io);
