import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DryMongoBinary } from 'mongodb-memory-server';
import { downloadBinary, downloadedBinary } from '../../src/platform/embedded-mongodb/memory-server.js';

/** A release that nobody has, so that no cache of this machine can answer. */
const VERSION = '7.0.999';
const NAMES = ['MONGOMS_VERSION', 'MONGOMS_DOWNLOAD_DIR', 'MONGOMS_DOWNLOAD_MIRROR', 'MONGOMS_SYSTEM_BINARY'];
const before = NAMES.map((name) => [name, process.env[name]] as const);

let folder: string;
let server: Server;
let requests: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-download-'));
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.MONGOMS_VERSION = VERSION;
  process.env.MONGOMS_DOWNLOAD_DIR = folder;
  process.env.MONGOMS_USE_HTTP = 'true';
  process.env.MONGOMS_DOWNLOAD_MIRROR = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  delete process.env.MONGOMS_USE_HTTP;
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

test('a download that fails is tried exactly once, and quickly', async () => {
  const began = Date.now();
  await expect(downloadBinary()).rejects.toThrow(/500/);
  expect(requests).toHaveLength(1);
  expect(Date.now() - began).toBeLessThan(3_000);
});

test('what was downloaded before is found, whatever MONGOMS_SYSTEM_BINARY says', async () => {
  expect(await downloadedBinary()).toBeUndefined();
  const options = await DryMongoBinary.generateOptions({ version: VERSION });
  const binary = join(folder, await DryMongoBinary.getBinaryName({ ...options, platform: process.platform }));
  await writeFile(binary, Buffer.alloc(2 * 1024 * 1024));
  await writeFile(`${binary}.md5`, 'checked when it was extracted');
  await chmod(binary, 0o755);
  process.env.MONGOMS_SYSTEM_BINARY = '/not/there';
  expect(await downloadedBinary()).toBe(binary);
  expect(process.env.MONGOMS_SYSTEM_BINARY).toBe('/not/there');
});
