import { spawn } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connectDatabase } from '../../src/platform/database.js';
import { findMongod, openMongo, runningMongo } from '../../src/platform/embedded-mongodb/index.js';
import { projectRoot } from '../../src/platform/paths.js';
import { bareMachine, fakeMongod } from './fakes.js';

let machine: Awaited<ReturnType<typeof bareMachine>>;
let dataPath: string;
beforeEach(async () => {
  machine = await bareMachine();
  dataPath = join(machine.root, 'data');
});
afterEach(() => machine.remove());

const useRealMongod = async () => {
  machine.options.env.MONGOMS_SYSTEM_BINARY = (await findMongod({ log: () => {} })).binary;
};
const failureOf = (opening: Promise<unknown>): Promise<{ code?: string; message: string; cause?: unknown }> =>
  opening.then(
    () => {
      throw new Error('it opened');
    },
    (error) => error,
  );

test('MONGODB_URI is used as it is, and nothing else is tried', async () => {
  const uri = process.env.TEST_MONGODB_URI;
  const mongo = await openMongo({ ...machine.options, env: { MONGODB_URI: uri }, dataPath });
  expect(mongo).toMatchObject({ uri, embedded: false });
  await mongo.stop();
  expect(await readdir(machine.root)).toEqual(['bin']);
});

test('an unreachable MONGODB_URI is an error without its password, never an empty embedded database', async () => {
  await fakeMongod(join(machine.bin, 'mongod'));
  const env = { ...machine.options.env, MONGODB_URI: 'mongodb://app:s3cret-word@127.0.0.1:9/' };
  const error = await failureOf(openMongo({ ...machine.options, env, dataPath }));
  expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  expect(error.message).toMatch(/MONGODB_URI is set, but its server cannot be used: .*ECONNREFUSED/);
  expect(`${error.message}${JSON.stringify(error)}`).not.toContain('s3cret-word');
  expect(await readdir(machine.root)).toEqual(['bin']);
});

test('a MONGODB_URI that is no address is an error without its password', async () => {
  const env = { MONGODB_URI: 'mongodb://app:s3cret-word@host:port:port/' };
  const error = await failureOf(openMongo({ ...machine.options, env, dataPath }));
  expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE', cause: undefined });
  expect(error.message).not.toContain('s3cret-word');
});

test('no way at all says so, with MONGODB_URI among what was tried', async () => {
  const error = await failureOf(openMongo({ ...machine.options, dataPath }));
  expect(error.message).toMatch(/^there is no MongoDB to work with\. Tried:\n {2}- MONGODB_URI: not set\n/);
});

test('a mongod that does not start gives way to the next one', async () => {
  await fakeMongod(join(machine.bin, 'mongod'));
  const { binary } = await findMongod({ log: () => {} });
  const downloads = { downloadedBinary: async () => binary, downloadBinary: async () => binary };
  const mongo = await openMongo({ ...machine.options, downloads, dataPath });
  await mongo.stop();
  expect(machine.lines.join('\n')).toMatch(/mongod does not start on .*; going on/);
});

test('a data folder that cannot be made is one clear error', async () => {
  await writeFile(dataPath, 'a file');
  const error = await failureOf(openMongo({ ...machine.options, dataPath }));
  expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  expect(error.message).toMatch(/data folder .* cannot be made/);
});

test('data and transactions survive a restart, on another port; a second copy on the folder is refused', async () => {
  await useRealMongod();
  const first = await openMongo({ ...machine.options, dataPath });
  expect(first).toMatchObject({ embedded: true });
  expect(new URL(first.uri)).toMatchObject({ hostname: '127.0.0.1', pathname: '/', search: '?directConnection=true' });
  let database = await connectDatabase(first.uri, { name: 'kept' });
  await database.collection('notes').insertOne({ text: 'one' });
  await database.close();

  expect(await runningMongo(dataPath)).toBe(first.uri);
  expect(await runningMongo(machine.root)).toBeUndefined();
  const refused = await failureOf(openMongo({ ...machine.options, dataPath }));
  expect(refused).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  expect(refused.message).toMatch(/^another process works with the data folder [^\n]+$/);

  const began = Date.now();
  await Promise.all([first.stop(), first.stop()]);
  expect(Date.now() - began).toBeLessThan(4_000);

  expect(await runningMongo(dataPath)).toBeUndefined();
  const second = await openMongo({ ...machine.options, dataPath });
  expect(second.uri).not.toBe(first.uri);
  database = await connectDatabase(second.uri, { name: 'kept' });
  const notes = database.collection('notes');
  await database.connection.transaction((session) => notes.insertOne({ text: 'two' }, { session }));
  expect(await notes.countDocuments()).toBe(2);
  await database.close();
  await second.stop();
});

/** A process of its own, leader of its process group as in a terminal, that opens the folder and waits. */
async function openInOtherProcess() {
  await useRealMongod();
  const built = pathToFileURL(join(projectRoot, 'dist/src/platform/embedded-mongodb/index.js')).href;
  const source = `
    import { openMongo } from ${JSON.stringify(built)};
    const mongo = await openMongo({ dataPath: ${JSON.stringify(dataPath)}, log: () => {} });
    process.on('SIGINT', async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { askServer } = await import(${JSON.stringify(built.replace('index.js', 'given-server.js'))});
      console.log('still', (await askServer(mongo.uri)).isReplicated);
      await mongo.stop();
      process.exit(0);
    });
    console.log(mongo.uri);`;
  await mkdir(dataPath);
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...machine.options.env, PATH: process.env.PATH, MONGODB_URI: '' },
    detached: true,
  });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    complaint += data;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  while (!output.includes('\n')) {
    if (child.exitCode !== null) throw new Error(`it ended: ${complaint}`);
    await sleep(50);
  }
  const group = child.pid as number;
  return { group, ended, output: () => output, complaint: () => complaint, uri: output.trim() };
}

test("a terminal's Ctrl-C reaches the whole group, and mongod lives until stop() is called", async () => {
  const other = await openInOtherProcess();
  process.kill(-other.group, 'SIGINT');
  expect(await other.ended).toBe(0);
  expect(other.output()).toContain('still true');
  expect(other.complaint()).toBe('');
});

test('a process that is killed leaves no mongod behind, and the folder can be opened again at once', async () => {
  const other = await openInOtherProcess();
  expect(await runningMongo(dataPath)).toBe(other.uri);
  process.kill(other.group, 'SIGKILL');
  await other.ended;
  const mongo = await openMongo({ ...machine.options, dataPath });
  await mongo.stop();
  await expect(connectDatabase(other.uri, { timeoutMs: 300 })).rejects.toThrow();
});

test('an address that a killed process left behind is not believed when another MongoDB answers there', async () => {
  await mkdir(dataPath);
  await writeFile(join(dataPath, 'countersign-address'), process.env.TEST_MONGODB_URI as string);
  expect(await runningMongo(dataPath)).toBeUndefined();
});
