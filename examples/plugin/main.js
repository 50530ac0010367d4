import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connectDatabase, openMongo } from 'countersign';
import { createApplication } from './application.js';
import { createHost } from './host.js';

const DATA = process.env.PLUGIN_DATA ?? 'data/plugin-example';
const port = Number(process.env.PORT ?? 5000);
const issuer = `http://localhost:${port}`;
const callback = `http://localhost:${port + 1}/callback`;
const say = (line) => process.stdout.write(`${line}\n`);

/** Made once and kept: what is sealed with a lost key stays shut. A real host has them from its vault. */
function keep(name, make) {
  const file = `${DATA}/${name}.json`;
  mkdirSync(DATA, { recursive: true, mode: 0o700 });
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    const made = make();
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
    return made;
  }
}

const keys = keep('keys', () => ({
  sealing: randomBytes(32).toString('base64'),
  index: randomBytes(32).toString('base64'),
  cookie: randomBytes(32).toString('base64'),
  signing: {
    ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
    alg: 'RS256',
    use: 'sig',
  },
}));
const clientSecret = randomBytes(32).toString('base64url');

// MONGODB_URI, or one of our own in the folder of the data.
const mongo = await openMongo({ dataPath: `${DATA}/mongodb`, log: say });
const database = await connectDatabase(mongo.uri, { name: process.env.PLUGIN_DATABASE ?? 'countersign_plugin' });
const provider = await createHost({
  issuer,
  database,
  secrets: {
    sealingKeys: [{ id: 'one', key: Buffer.from(keys.sealing, 'base64') }],
    indexKey: Buffer.from(keys.index, 'base64'),
  },
  jwks: { keys: [keys.signing] },
  cookieKeys: [keys.cookie],
  clients: [{ client_id: 'intranet', client_secret: clientSecret, redirect_uris: [callback] }],
  tell: say,
  ...(process.argv.includes('--careless') ? { ending: 'careless' } : {}),
});
const servers = [provider.listen(port, '127.0.0.1')];
const application = await createApplication({ issuer, clientId: 'intranet', clientSecret, callback });
servers.push(application.listen(port + 1, '127.0.0.1'));
await Promise.all(servers.map((server) => server.listening || once(server, 'listening')));

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await database.close();
    await mongo.stop();
  });
say(
  `Ready: http://localhost:${port + 1}/ signs you in (greta, lantern-orbit-52); ${issuer}/account is the security page`,
);
