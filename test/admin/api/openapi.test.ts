import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { SCOPES } from '../../../src/admin/index.js';
import { API_ERRORS } from '../../../src/errors.js';
import { projectRoot } from '../../../src/platform/paths.js';
import { ApiContract } from '../../support/api-contract.js';
import { RP, startApp, type TestApp } from '../../support/app.js';

let app: TestApp;
let contract: ApiContract;
beforeAll(async () => {
  app = await startApp({ clients: [RP] }, { path: '/tenant' });
  contract = await ApiContract.of(app.issuer);
});
afterAll(() => app.stop());

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(contract.document));
  expect(errors).toBeUndefined();
  expect([valid, validator.version]).toEqual([true, '3.1']);
});

test('every operation has an id of its own, a summary, a known scope, and its refusals', () => {
  const ids = contract.operations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(45);
  for (const { id, scope, method, responses, parameters } of contract.operations) {
    expect([id, scope === '' ? id === 'getMe' : (SCOPES as readonly string[]).includes(scope)]).toEqual([id, true]);
    const statuses = Object.keys(responses);
    expect(statuses).toEqual(expect.arrayContaining(['400', '401', '429', '503']));
    const headers = parameters.filter(({ in: place }) => place === 'header').map(({ name }) => name);
    expect([id, headers]).toEqual([id, method === 'POST' ? ['Idempotency-Key'] : method === 'GET' ? [] : ['If-Match']]);
  }
});

test('the readable page shows every operation and every error, without a script of anybody else', async () => {
  const page = await app.browser().open(`${app.issuer}/api/v1/docs`);
  expect([page.status, page.h1]).toEqual([200, 'Management API']);
  for (const { id, method, path } of contract.operations) {
    expect(page.html).toContain(`id="${id}"`);
    expect(page.text).toContain(`${method} ${path}`);
  }
  for (const code of Object.keys(API_ERRORS)) expect(page.html).toContain(`id="${code}"`);
  expect([...page.html.matchAll(/<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"/g)].map(([, href]) => href)).toEqual(
    expect.not.arrayContaining([expect.stringMatching(/^(?:https?:)?\/\//)]),
  );
  for (const [, target] of page.html.matchAll(/href="#([^"]+)"/g)) expect(page.html).toContain(`id="${target}"`);
  const german = await app.browser().open(`${app.issuer}/api/v1/docs?lang=de`);
  expect(german.h1).toBe('Verwaltungs-API');
});

test('the documentation lists every code as it is', () => {
  const text = readFileSync(join(projectRoot, 'docs/management-api.md'), 'utf8');
  const listed = [...text.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (.+) \|$/gm)].map(([, code, status, title]) => [
    code,
    { status: Number(status), title },
  ]);
  expect(Object.fromEntries(listed)).toEqual(API_ERRORS);
});

test('what is not there is a problem, too', async () => {
  for (const path of ['/api/v1', '/api/v1/', '/api/v1/nothing', '/api/v1/accounts/a/b/c']) {
    const response = await fetch(app.issuer + path, { headers: { accept: 'text/html' } });
    expect([path, response.status, response.headers.get('content-type')]).toEqual([
      path,
      404,
      'application/problem+json',
    ]);
  }
});
