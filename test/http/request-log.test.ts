import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Logger } from '../../src/platform/logger.js';
import { rawRequest } from '../security/raw.js';
import { startApp, type TestApp } from '../support/app.js';

type Line = Record<string, unknown> & { message: string };

const lines: Line[] = [];
const note = (fields: object, message: string): void => void lines.push({ ...fields, message });
const logger = { debug: note, info: note, warn: note, error: note } as unknown as Logger;

let behindProxy: TestApp;
let bare: TestApp;
beforeAll(async () => {
  behindProxy = await startApp({ trustedProxyHops: 1 }, { logger });
  bare = await startApp({}, { database: behindProxy.database, logger });
});
afterAll(async () => {
  await bare.stop();
  await behindProxy.stop();
});

const ask = async ({ port, issuer }: TestApp, path: string, requestId: string) => {
  lines.length = 0;
  const headers = { host: new URL(issuer).host, 'x-request-id': requestId, accept: 'text/html' };
  const answer = await rawRequest(port, path, { headers });
  return { answer, told: lines.filter(({ message }) => message === 'request') };
};

test.each(['/forgot-password', '/nowhere', '/jwks', '/api/v1/accounts', '/assets/x/none.css'])(
  'one line for a request to %s, under the id that the answer and its page have',
  async (path) => {
    const { answer, told } = await ask(bare, path, 'chosen-by-a-stranger');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ method: 'GET', status: answer.status, ms: expect.any(Number) });
    expect(told[0]?.requestId).toBe(answer.headers['x-request-id']);
    expect(JSON.stringify(lines)).not.toContain('chosen-by-a-stranger');
    if (answer.status >= 400) expect(answer.body).toContain(String(told[0]?.requestId));
  },
);

test('what a trusted proxy calls a request stands beside our own id; what is no id does not', async () => {
  const { answer, told } = await ask(behindProxy, '/forgot-password', 'edge-7f3a');
  expect(told).toMatchObject([{ proxyRequestId: 'edge-7f3a', requestId: answer.headers['x-request-id'] }]);
  expect(answer.headers['x-request-id']).not.toBe('edge-7f3a');
  for (const bad of ['two words', 'x'.repeat(65), '{"a":1}']) {
    const { told: others } = await ask(behindProxy, '/forgot-password', bad);
    expect(others[0]).not.toHaveProperty('proxyRequestId');
  }
});
