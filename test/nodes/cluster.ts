import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort, RP, RP_SECRET, startApp, type TestApp, testSecrets } from '../support/app.js';
import { testDatabase } from '../support/database.js';
import { type Balancer, type NodeName, openBalancer } from './balancer.js';
import { type MongoGate, openMongoGate } from './mongo-gate.js';
import { ready, type ServerNode, spawnNode } from './node.js';

/** Two server processes on one database behind one address. */
export interface Cluster {
  issuer: string;
  balancer: Balancer;
  nodes: Record<NodeName, ServerNode>;
  ports: Record<NodeName, number>;
  /** On the way from node A to the database. */
  gate: MongoGate;
  /** The same installation in the process of the tests: for accounts, factors and the audit, never for a browser. */
  office: TestApp;
  /** Starts a node again that was killed or stopped. */
  revive(name: NodeName): Promise<void>;
  /** A further node with changed settings, not behind the balancer; the caller ends it. */
  spawn(settings: Settings, env?: Record<string, string>): ServerNode;
  stop(): Promise<void>;
}

export const OTHER_RP = {
  ...RP,
  client_id: 'other',
  client_name: 'Wiki',
  redirect_uris: ['https://wiki.example/cb'],
  client_uri: 'https://wiki.example/',
};

export const environment = (mongoUri: string): Record<string, string> => ({
  MONGODB_URI: mongoUri,
  RP_SECRET,
  COUNTERSIGN_SEALING_KEYS: testSecrets.sealingKeys.map(({ id, key }) => `${id}:${key.toString('base64')}`).join(),
  COUNTERSIGN_COOKIE_KEYS: testSecrets.cookieKeys.join(),
  COUNTERSIGN_INDEX_KEY: testSecrets.indexKey.toString('base64'),
});

type Settings = Record<string, unknown>;

const withoutGate = (uri: string): MongoGate => {
  const missing = (): never => {
    throw new Error('no gate on the way to a replica set');
  };
  return { uri, hold: missing, holdEach: missing, stop: async () => {} };
};

/**
 * Both nodes start at the same moment on an empty database.
 * @param replicaSet instead of the run's own MongoDB: then there is no gate on the way.
 */
export async function startCluster(
  given: Settings | ((issuer: string) => Settings) = {},
  env: Record<string, string> = {},
  replicaSet?: { uri: string },
): Promise<Cluster> {
  const [issuerPort, a, b] = await Promise.all([freePort(), freePort(), freePort()]);
  const issuer = `http://localhost:${issuerPort}`;
  const settings = typeof given === 'function' ? given(issuer) : given;
  const database = await testDatabase(replicaSet?.uri);
  const gate = replicaSet ? withoutGate(replicaSet.uri) : await openMongoGate(database.uri);
  const ports = { a, b };
  const balancer = await openBalancer(issuerPort, ports);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-nodes-'));
  const all: ServerNode[] = [];
  const shared = {
    issuer,
    policy: { firstEnrolment: 'password' },
    clients: [{ ...RP, issue_refresh_token: true }, OTHER_RP],
    log: { level: 'error' },
    ...settings,
  };
  const spawn = (own: Settings, more: Record<string, string> = {}, uri = database.uri): ServerNode => {
    const file = join(folder, `${all.length}.yaml`);
    writeFileSync(file, stringify({ ...shared, database: { name: database.name }, ...own }));
    const node = spawnNode(file, { ...environment(uri), ...env, ...more });
    all.push(node);
    return node;
  };
  const spawnNamed = (name: NodeName): ServerNode =>
    spawn(
      { listen: { ...(settings.listen as Settings), port: ports[name] } },
      {},
      name === 'a' ? gate.uri : database.uri,
    );
  const nodes = { a: spawnNamed('a'), b: spawnNamed('b') };
  await Promise.all([ready(nodes.a), ready(nodes.b)]);
  const office = await startApp(shared, { database, issuer, env });
  return {
    issuer,
    balancer,
    nodes,
    ports,
    gate,
    office,
    spawn,
    async revive(name) {
      nodes[name] = spawnNamed(name);
      await ready(nodes[name]);
    },
    async stop() {
      await Promise.all(all.map((node) => node.kill()));
      await balancer.stop();
      await gate.stop();
      await office.stop();
      await database.drop();
      rmSync(folder, { recursive: true });
    },
  };
}
