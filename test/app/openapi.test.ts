import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { projectRoot } from '../../src/platform/paths.js';
import { startApp, type TestApp } from '../support/app.js';
import { DeviceContract } from './device-contract.js';

let app: TestApp;
let contract: DeviceContract;
beforeAll(async () => {
  app = await startApp({ methods: [{ id: 'app' }, { id: 'totp' }] }, { path: '/tenant' });
  contract = await DeviceContract.of(app.issuer);
});
afterAll(() => app.stop());

const protocol = readFileSync(join(projectRoot, 'docs/app-protocol.md'), 'utf8');

test('the document is valid OpenAPI 3.1, and says where the API is', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(contract.document));
  expect(errors).toBeUndefined();
  expect([valid, validator.version]).toEqual([true, '3.1']);
  expect(contract.document.servers).toEqual([{ url: `${app.issuer}/device/v1` }]);
});

test('what it describes is what the protocol describes, each with a name and a sentence', () => {
  const written = [...protocol.matchAll(/`POST \/device\/v1(\/[^`\s]+)`/g)].map(([, path = '']) =>
    path.replace('<id>', '{id}'),
  );
  const described = Object.entries(contract.document.paths);
  expect(described.map(([path]) => path).sort()).toEqual([...new Set(written)].sort());
  // A new address gets its name, its sentence and its answer in `plugins/app/answer-schemas.ts`.
  for (const [path, { post }] of described) {
    expect([path, post]).toEqual([
      path,
      expect.objectContaining({ operationId: expect.any(String), summary: expect.any(String) }),
    ]);
  }
});

test('both list the same errors', () => {
  const written = [...protocol.matchAll(/^\| (\d{3}) \| `([A-Z_]+)` \|/gm)].map(([, status, code]) => ({
    status,
    code,
  }));
  const { Problem } = (
    contract.document.components as { schemas: { Problem: { properties: { code: { enum: string[] } } } } }
  ).schemas;
  expect(Problem.properties.code.enum.toSorted()).toEqual(written.map(({ code }) => code).toSorted());
  for (const { post } of Object.values(contract.document.paths)) {
    expect(Object.keys(post.responses).sort()).toEqual(
      [...new Set(['200', ...written.map(({ status }) => status)])].sort(),
    );
  }
});
