/** What is used once, or ended, inside a request whose writes wait: none of it waits. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AdapterPayload } from 'oidc-provider';
import { openUnits, type Raw, type Units } from './units.js';

let units: Units;
let clock: Units['clock'];
let store: Units['store'];
let other: Units['other'];
let raw: Units['raw'];
let run: Units['run'];

let next = 0;
let id: string;
beforeAll(async () => {
  units = await openUnits();
  ({ clock, store, other, raw, run } = units);
});
afterAll(() => units.database.drop());
beforeEach(() => {
  next += 1;
  id = `id${next}`;
});

/** In a request of another node. */
const elsewhere = (work: () => Promise<unknown>) =>
  other.units.run(async (unit) => {
    await work();
    await unit.commit();
  });
const sweep = (model: string) => units.database.collection<Raw>('oidc').deleteOne({ _id: `${model}:${id}` });

describe('what is used once or ended', () => {
  const code = () => ({ kind: 'AuthorizationCode', jti: id, grantId: id });

  it('is so at once: a code used, a family ended, a JWT seen', async () => {
    await other.adapter('AuthorizationCode').upsert(id, code(), 60);
    await other.adapter('RefreshToken').upsert(id, { ...code(), kind: 'RefreshToken' }, 60);
    await run(async () => {
      await store.adapter('AuthorizationCode').find(id);
      await store.adapter('AuthorizationCode').consume(id);
      expect((await store.adapter('AuthorizationCode').find(id))?.consumed).toEqual(expect.any(Number));
      await expect(other.adapter('AuthorizationCode').consume(id)).rejects.toMatchObject({ error: 'invalid_grant' });
      await store.adapter('RefreshToken').find(id);
      await store.adapter('RefreshToken').revokeByGrantId(id);
      expect(await store.adapter('RefreshToken').find(id)).toBeUndefined();
      expect(await raw(`RefreshToken:${id}`)).toBeNull();
      const soon = clock.now().getTime() / 1000 + 60;
      expect(await store.replay('iss', id, soon)).toBe(true);
      expect(await other.replay('iss', id, soon)).toBe(false);
      await other.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      await store.adapter('Grant').destroy(id);
      expect(await raw(`Grant:${id}`)).toBeNull();
    });
  });

  it('is written first when it waits itself, with all that waits in front of it', async () => {
    await run(async () => {
      await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      await store.adapter('AuthorizationCode').upsert(id, code(), 60);
      await store.adapter('AuthorizationCode').consume(id);
      expect(await raw(`Grant:${id}`)).not.toBeNull();
      await expect(other.adapter('AuthorizationCode').consume(id)).rejects.toMatchObject({ error: 'invalid_grant' });
    });
    expect((await raw(`AuthorizationCode:${id}`))?.payload?.consumed).toEqual(expect.any(Number));
  });

  it('is never made new by a later save, in the same request or by a use on another node', async () => {
    const codes = store.adapter('AuthorizationCode');
    await other.adapter('AuthorizationCode').upsert(id, code(), 60);
    await run(async () => {
      await codes.find(id);
      await codes.consume(id);
      await expect(codes.upsert(id, code(), 60)).rejects.toMatchObject({ error: 'invalid_grant' });
    });
    await other.adapter('AuthorizationCode').upsert(`${id}-1`, code(), 60);
    const late = run(async () => {
      await codes.find(`${id}-1`);
      await other.adapter('AuthorizationCode').consume(`${id}-1`);
      await codes.upsert(`${id}-1`, code(), 60);
      await store.adapter('AccessToken').upsert(id, { kind: 'AccessToken' }, 60);
    });
    await expect(late).rejects.toMatchObject({ error: 'invalid_grant' });
    for (const used of [id, `${id}-1`])
      expect((await raw(`AuthorizationCode:${used}`))?.payload?.consumed).toEqual(expect.any(Number));
    expect(await raw(`AccessToken:${id}`)).toBeNull();
  });

  it('takes with it what waits under its grant', async () => {
    for (const revoke of [() => store.adapter('AccessToken').revokeByGrantId(id), () => store.revokeGrant(id)]) {
      await run(async () => {
        await store.adapter('AccessToken').upsert(id, { kind: 'AccessToken', jti: id, grantId: id }, 60);
        await store.adapter('AccessToken').upsert(`${id}-b`, { kind: 'AccessToken', grantId: 'another' }, 60);
        await revoke();
        expect(await store.adapter('AccessToken').find(id)).toBeUndefined();
      });
      expect(await raw(`AccessToken:${id}`)).toBeNull();
      expect(await raw(`AccessToken:${id}-b`)).not.toBeNull();
    }
    await run(async () => {
      await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      await store.revokeGrant(id);
    });
    expect(await raw(`Grant:${id}`)).toBeNull();
    await run(async () => {
      await store.adapter('AccessToken').upsert(id, { kind: 'AccessToken', jti: id }, 60);
      await store.adapter('AccessToken').destroy(id);
    });
    expect(await raw(`AccessToken:${id}`)).toBeNull();
  });

  it.each([
    [
      'an interaction that another request has ended',
      'Interaction',
      () => elsewhere(() => other.adapter('Interaction').destroy(id)),
    ],
    ['an interaction that was swept since', 'Interaction', () => sweep('Interaction')],
    ['a grant that was revoked', 'Grant', () => other.revokeGrant(id)],
  ])('is not brought back by a request that had read it: %s', async (_what, model, end) => {
    const documents = store.adapter(model);
    await other.adapter(model).upsert(id, { kind: model, jti: id, params: { scope: 'a' } }, 600);
    const late = run(async () => {
      const found = (await documents.find(id)) ?? {};
      await end();
      await documents.upsert(id, { ...found, result: { login: { accountId: 'anna' } } } as AdapterPayload, 600);
      await store.adapter('AuthorizationCode').upsert(id, code(), 60);
    });
    await expect(late).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await documents.find(id)).toBeUndefined();
    expect(await raw(`AuthorizationCode:${id}`)).toBeNull();
  });

  it('of a device is decided at once, once what it refers to is there', async () => {
    const devices = store.adapter('DeviceCode');
    await other.adapter('DeviceCode').upsert(id, { kind: 'DeviceCode', jti: id, userCode: id }, 60);
    await run(async () => {
      await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      await devices.upsert(id, { kind: 'DeviceCode', jti: id, userCode: id, accountId: 'anna', grantId: id }, 60);
      expect(await raw(`Grant:${id}`)).not.toBeNull();
      const late = other.adapter('DeviceCode').upsert(id, { kind: 'DeviceCode', jti: id, accountId: 'ben' }, 60);
      await expect(late).rejects.toMatchObject({ error: 'invalid_grant' });
      expect(await devices.find(id)).toMatchObject({ accountId: 'anna' });
    });
  });
});
