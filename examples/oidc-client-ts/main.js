import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const { ISSUER = 'http://localhost:4000', CLIENT_ID = '', PORT = '5001' } = process.env;
const origin = `http://localhost:${PORT}`;
const library = createRequire(import.meta.url).resolve('oidc-client-ts');
const own = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

// Everything happens in the browser; this process hands out files.
const files = {
  '/': ['text/html; charset=utf-8', own('index.html')],
  '/application.js': ['text/javascript', own('application.js')],
  '/settings.js': [
    'text/javascript',
    `export const settings = ${JSON.stringify({ authority: ISSUER, client_id: CLIENT_ID })};\n`,
  ],
  '/oidc-client-ts.js': [
    'text/javascript',
    readFileSync(join(dirname(library), '../browser/oidc-client-ts.min.js'), 'utf8'),
  ],
};

createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', origin);
  const [type, body] = files[pathname === '/callback' ? '/' : pathname] ?? [];
  if (type) response.writeHead(200, { 'Content-Type': type }).end(body);
  else response.writeHead(404).end();
}).listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`Ready: ${origin}\n`));
