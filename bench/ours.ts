/** The real server as `npm start` runs it, with the configuration of the bench. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig, loadSecrets } from '../src/config/index.js';
import { startServer } from '../src/main.js';
import { METHODS_WITH_APP } from './app/settings.js';
import { attend } from './attend.js';
import { CLIENT_ID, REDIRECT_URI, SIGNING_ALGORITHM, serverEnvironment } from './settings.js';
import { methodsWithTexts } from './sms/settings.js';

const { BENCH_FOLDER, BENCH_DATABASE, BENCH_MONGODB_URI, port } = serverEnvironment();
const file = join(BENCH_FOLDER, `ours-${port}.yaml`);
writeFileSync(
  file,
  stringify({
    issuer: process.env.BENCH_ISSUER ?? `http://127.0.0.1:${port}`,
    listen: { port },
    database: { name: BENCH_DATABASE },
    ...(process.env.BENCH_TWILIO ? { methods: methodsWithTexts(process.env.BENCH_TWILIO) } : {}),
    ...(process.env.BENCH_APP ? { methods: METHODS_WITH_APP } : {}),
    clients: [
      {
        client_id: CLIENT_ID,
        client_name: 'Bench',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT_URI],
        id_token_signed_response_alg: SIGNING_ALGORITHM,
        first_party: true,
        issue_refresh_token: true,
        minimum_acr: '2fa',
      },
    ],
  }),
);
const env = { ...process.env, MONGODB_URI: BENCH_MONGODB_URI };
const server = await startServer({
  config: loadConfig(file, env),
  secrets: loadSecrets(env),
  mongoUri: BENCH_MONGODB_URI,
  env,
});
attend(BENCH_FOLDER, () => server.stop());
