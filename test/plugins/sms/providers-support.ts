import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import {
  createProviders,
  type ProviderDeps,
  type Providers,
  providersSchema,
} from '../../../plugins/sms/providers/index.js';
import type { Database } from '../../../src/platform/database.js';
import type { Logger } from '../../../src/platform/logger.js';
import { FakeClock } from '../../support/clock.js';

export const ACCOUNT_SID = `AC${'0a'.repeat(16)}`;
export const AUTH_TOKEN = 'canary-auth-token-0123456789abcd';
export const SENDER = '+4915550000001';
export const CALLBACK_BASE = 'https://login.example.com/callbacks/sms';
/** A number and a text that must stay where they are. */
export const MESSAGE = { id: 'msg-1', to: '+4915123456789', text: 'canary-text 271828\n\n@login.example.com #271828' };

/** For tests that never touch the database. */
export const noDatabase = { collection: () => ({}) } as unknown as Database;

/** Everything that was logged, as one text. */
export function listeningLogger(): { logger: Logger; lines: () => string } {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  return { logger, lines: () => lines.join('') };
}

export const twilioSettings = (settings: Record<string, unknown> = {}) => ({
  name: 'twilio',
  type: 'twilio',
  accountSid: ACCOUNT_SID,
  auth_token_env: 'TWILIO_AUTH_TOKEN',
  from: SENDER,
  timeoutMs: 400,
  ...settings,
});

/** As the method makes them. */
export function makeProviders(raw: unknown, deps: Partial<ProviderDeps> = {}): Providers {
  return createProviders(providersSchema.parse(raw), {
    clock: new FakeClock(),
    database: noDatabase,
    logger: listeningLogger().logger,
    callbackBase: CALLBACK_BASE,
    keepText: async () => undefined,
    secret: (variable) => ({ TWILIO_AUTH_TOKEN: AUTH_TOKEN, API_KEY_SECRET: 'canary-key-secret' })[variable],
    ...deps,
  });
}

export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface SomeServer {
  url: string;
  received: Received[];
  stop(): Promise<void>;
}

/** An HTTP server that answers as it is told. */
export async function someServer(answer: (response: ServerResponse, request: Received) => void): Promise<SomeServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
    received.push(one);
    answer(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An address at which nobody listens. */
export async function nobody(): Promise<string> {
  const server = await someServer(() => undefined);
  await server.stop();
  return server.url;
}

/** Bytes that come one by one and never end. */
export const trickle = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
};
