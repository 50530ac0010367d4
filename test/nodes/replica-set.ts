import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import { findMongod } from '../../src/platform/embedded-mongodb/index.js';
import { freePort } from '../support/app.js';

/** Three real members, of which any may be killed. */
export interface ReplicaSet {
  uri: string;
  /** `kill -9` of the primary, over when it is gone. Returns how to start it again. */
  killPrimary(): Promise<() => void>;
  /** `kill -9` of all others, which the primary does not notice: it takes writes of which nobody else hears. */
  leavePrimaryAlone(): Promise<void>;
  /** Resolves when one of them takes writes. */
  hasPrimary(): Promise<void>;
  stop(): Promise<void>;
}

const NAME = 'failover';
const MEMBERS = 3;
const LOOK_MS = 50;
const UNNOTICED_MS = 600_000;

/** @param electionTimeoutMs after which the others notice that the primary is gone; MongoDB's default is 10 s. */
export async function startReplicaSet(electionTimeoutMs: number): Promise<ReplicaSet> {
  const { binary } = await findMongod({ log: () => {} });
  const folder = mkdtempSync(join(tmpdir(), 'countersign-set-'));
  const ports = await Promise.all(Array.from({ length: MEMBERS }, freePort));
  const start = (port: number): ChildProcess => {
    const data = join(folder, String(port));
    mkdirSync(data, { recursive: true });
    const args = ['--port', String(port), '--dbpath', data, '--replSet', NAME, '--bind_ip', '127.0.0.1'];
    const quiet = ['--nounixsocket', '--setParameter', 'diagnosticDataCollectionEnabled=false', '--quiet'];
    return spawn(binary, [...args, ...quiet], { stdio: 'ignore' });
  };
  const members = new Map(ports.map((port) => [port, start(port)]));

  const ask = async (port: number, command: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
      serverSelectionTimeoutMS: 20_000,
    });
    try {
      return await client.db('admin').command(command);
    } finally {
      await client.close();
    }
  };
  const primary = async (): Promise<number> => {
    for (;;) {
      for (const [port, { exitCode, signalCode }] of members) {
        if (exitCode !== null || signalCode !== null) continue;
        const { isWritablePrimary } = await ask(port, { hello: 1 }).catch(() => ({ isWritablePrimary: false }));
        if (isWritablePrimary) return port;
      }
      await sleep(LOOK_MS);
    }
  };
  const end = async (member: ChildProcess): Promise<void> => {
    if (member.exitCode !== null || member.signalCode !== null) return;
    member.kill('SIGKILL');
    await once(member, 'exit');
  };

  // Whoever does not listen yet is no member.
  await Promise.all(ports.map((port) => ask(port, { ping: 1 })));
  await ask(ports[0] ?? 0, {
    replSetInitiate: {
      _id: NAME,
      members: ports.map((port, _id) => ({ _id, host: `127.0.0.1:${port}` })),
      settings: { electionTimeoutMillis: electionTimeoutMs },
    },
  });
  await primary();
  return {
    uri: `mongodb://${ports.map((port) => `127.0.0.1:${port}`).join()}/?replicaSet=${NAME}`,
    async killPrimary() {
      const port = await primary();
      await end(members.get(port) as ChildProcess);
      return () => void members.set(port, start(port));
    },
    async leavePrimaryAlone() {
      const unnoticed = async (): Promise<number> => {
        const port = await primary();
        const { config } = (await ask(port, { replSetGetConfig: 1 })) as {
          config: { version: number; settings: object };
        };
        const settings = { ...config.settings, electionTimeoutMillis: UNNOTICED_MS };
        await ask(port, { replSetReconfig: { ...config, version: config.version + 1, settings } });
        return port;
      };
      // The first election may not be the last.
      const port = await unnoticed().catch(unnoticed);
      await Promise.all([...members].filter(([other]) => other !== port).map(([, member]) => end(member)));
    },
    hasPrimary: async () => void (await primary()),
    async stop() {
      await Promise.all([...members.values()].map(end));
      rmSync(folder, { recursive: true });
    },
  };
}
