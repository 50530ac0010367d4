import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { decodeJwt, type JWTPayload } from 'jose';
import { freePort, RP } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';

/** A relying application that browsers can really reach: every address of it answers with one small page. */
export interface Application {
  origin: string;
  /** Settings of the client, for the server under test. */
  client: typeof RP;
  stop(): Promise<void>;
}

const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Time Sheets</title><link rel="icon" href="data:,"><h1>Back at Time Sheets</h1>';

export async function startApplication(): Promise<Application> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const server: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end(PAGE);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin,
    client: {
      ...RP,
      redirect_uris: [`${origin}/cb`],
      post_logout_redirect_uris: [`${origin}/out`],
      client_uri: `${origin}/`,
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const relyingParty = (issuer: string, { origin }: Application): RelyingParty =>
  new RelyingParty(issuer, 'rp', undefined, `${origin}/cb`);

/** What the ID Token says after the browser came back with a code. */
export async function claimsAt(url: string, rp: RelyingParty, verifier: string): Promise<JWTPayload> {
  const { searchParams } = new URL(url);
  const { id_token } = await rp.exchange(searchParams.get('code') ?? '', verifier);
  return decodeJwt(id_token);
}
