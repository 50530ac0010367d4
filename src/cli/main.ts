#!/usr/bin/env node
import { runCli } from './run.js';

const io = { env: process.env, out: console.log, err: console.error };
process.exitCode = await runCli(process.argv.slice(2), io);
