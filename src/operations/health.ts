import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import type { Logger } from '../platform/logger.js';
import { createDatabaseProbe } from './database-probe.js';

/** What load balancers and orchestrators ask: does the process live, and may it get requests? */
export interface Health {
  /** Answers `/livez` and `/readyz`, whatever the host, and nothing else: then it is false. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Not ready any more, for good. */
  stopping(): void;
}

/** One thing that has to be so; `reason` says in a word why it is not. */
interface Check {
  ok: boolean;
  reason?: string;
}

interface Readiness {
  status: 'ready' | 'not_ready';
  checks: Record<string, Check & Record<string, unknown>>;
}

/** Time of tokens, codes and leases is each node's own: beyond this they disagree on what has expired. */
export const CLOCK_OFFSET_MS = 1_000;
/** Shorter than a probe waits, and long enough for an election to be over soon after. */
const DATABASE_MS = 2_000;
/** However many ask, the database is asked this often. */
const FRESH_MS = 1_000;

export interface HealthDeps {
  database: Database;
  clock: Clock;
  logger: Logger;
  /** How many keys there are to sign with. */
  signingKeys(): number;
  databaseMs?: number;
}

export function createHealth(deps: HealthDeps): Health {
  const { logger, databaseMs = DATABASE_MS } = deps;
  const askDatabase = createDatabaseProbe(deps.database, deps.clock);
  let isStopping = false;
  let wasReady = true;
  let latest: { at: number; readiness: Promise<Readiness> } | undefined;

  const look = async (): Promise<Readiness> => {
    const answer = await askDatabase(databaseMs);
    const isOff = answer.ok && Math.abs(answer.offsetMs) - answer.ms / 2 >= CLOCK_OFFSET_MS;
    const checks: Readiness['checks'] = {
      database: answer.ok ? { ok: true, ms: answer.ms } : answer,
      clock: answer.ok
        ? { ok: !isOff, offsetMs: answer.offsetMs, ...(isOff ? { reason: 'differs_from_database' } : {}) }
        : { ok: false, reason: 'unknown' },
      signing_keys: deps.signingKeys() > 0 ? { ok: true } : { ok: false, reason: 'none_loaded' },
    };
    const isReady = Object.values(checks).every(({ ok }) => ok);
    if (isReady !== wasReady) logger[isReady ? 'info' : 'warn']({ checks }, isReady ? 'ready again' : 'not ready');
    wasReady = isReady;
    return { status: isReady ? 'ready' : 'not_ready', checks };
  };

  const readiness = async (): Promise<Readiness> => {
    if (isStopping) return { status: 'not_ready', checks: { stopping: { ok: false, reason: 'stopping' } } };
    const now = performance.now();
    if (!latest || now - latest.at > FRESH_MS) {
      const asked = { at: now, readiness: look() };
      latest = asked;
      // What took long is fresh from its end on.
      void asked.readiness.then(() => {
        asked.at = performance.now();
      });
    }
    const found = await latest.readiness;
    return isStopping ? readiness() : found;
  };

  return {
    handle(request, response) {
      const path = request.url?.split('?', 1)[0];
      if (path !== '/livez' && path !== '/readyz') return false;
      request.resume();
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD', 'cache-control': 'no-store' }).end();
        return true;
      }
      if (path === '/livez') answerJson(request, response, 200, { status: 'alive' });
      else void readiness().then((found) => answerJson(request, response, found.status === 'ready' ? 200 : 503, found));
      return true;
    },
    stopping() {
      isStopping = true;
    },
  };
}

function answerJson(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
