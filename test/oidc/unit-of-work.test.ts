/** What one request has read and is about to write: each thing that can go wrong when writes wait for the end of a request. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionRevokedError } from '../../src/oidc/adapter/index.js';
import { gate } from './bare-provider.js';
import { openUnits, type Raw, type Units } from './units.js';

let units: Units;
let clock: Units['clock'];
let database: Units['database'];
let store: Units['store'];
let other: Units['other'];
let commands: Units['commands'];
let raw: Units['raw'];
let run: Units['run'];

let next = 0;
let id: string;
beforeAll(async () => {
  units = await openUnits();
  ({ clock, database, store, other, commands, raw, run } = units);
});
afterAll(() => units.database.drop());
beforeEach(() => {
  next += 1;
  id = `id${next}`;
});

const written = (name: string) => commands.filter(({ commandName }) => commandName === name);

describe('what a request has read or written', () => {
  it('is handed out as a copy, and taken in as one: an unsaved change never looks saved', async () => {
    const grants = store.adapter('Grant');
    await run(async () => {
      const payload = { kind: 'Grant', jti: id, resources: { api: 'read' } };
      await grants.upsert(id, payload, 60);
      payload.resources.api = 'write';
      const found = await grants.find(id);
      expect(found?.resources).toEqual({ api: 'read' });
      Object.assign(found?.resources as object, { api: 'all' });
      expect((await grants.find(id))?.resources).toEqual({ api: 'read' });
    });
    expect((await raw(`Grant:${id}`))?.payload?.resources).toEqual({ api: 'read' });
    await run(async () => {
      Object.assign((await grants.find(id))?.resources as object, { api: 'all' });
      expect((await grants.find(id))?.resources).toEqual({ api: 'read' });
    });
  });

  it('is asked for once, there or not, and for this request only', async () => {
    const grants = store.adapter('Grant');
    await run(async () => {
      database.take();
      expect(await grants.find(id)).toBeUndefined();
      await other.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      database.take();
      expect(await grants.find(id)).toBeUndefined();
      expect(database.take()).toEqual([]);
    });
    await run(async () => expect(await grants.find(id)).toMatchObject({ jti: id }));
  });

  it('is asked for again by whoever waits for another request, but for what it is about to write itself', async () => {
    const grants = store.adapter('Grant');
    await run(async () => {
      expect(await grants.find(id)).toBeUndefined();
      await grants.upsert(`${id}-own`, { kind: 'Grant', jti: 'own' }, 60);
      await other.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      store.units.lookAgain();
      expect(await grants.find(id)).toMatchObject({ jti: id });
      expect(await grants.find(`${id}-own`)).toMatchObject({ jti: 'own' });
    });
  });

  it('past its end is there no more, though read before it', async () => {
    await other.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
    await run(async () => {
      expect(await store.adapter('Grant').find(id)).toBeDefined();
      clock.advance(60);
      expect(await store.adapter('Grant').find(id)).toBeUndefined();
    });
  });

  it('is written as far as this request has changed it: what another one has written meanwhile stays', async () => {
    const interactions = store.adapter('Interaction');
    const found = { kind: 'Interaction', jti: id, exp: 1, returnTo: '/', session: { uid: 's' } };
    await other.adapter('Interaction').upsert(id, found, 60);
    await run(async () => {
      const { session: _, ...rest } = (await interactions.find(id)) ?? {};
      await other.adapter('Interaction').upsert(id, { ...found, result: { login: { accountId: 'anna' } } }, 60);
      await interactions.upsert(id, { ...rest, exp: 2 }, 120);
      await interactions.upsert(id, { ...rest, exp: 3 }, 180);
      expect(await interactions.find(id)).toMatchObject({ exp: 3 });
    });
    const { payload, expiresAt } = (await raw(`Interaction:${id}`)) ?? {};
    expect(payload).toEqual({ ...found, exp: 3, session: undefined, result: { login: { accountId: 'anna' } } });
    expect(expiresAt?.getTime()).toBe(clock.now().getTime() + 180_000);
  });

  it('destroyed reads as nothing, before it is written and after', async () => {
    const interactions = store.adapter('Interaction');
    await other.adapter('Interaction').upsert(id, { kind: 'Interaction', jti: id, params: { secret: 's' } }, 60);
    await run(async () => {
      expect(await interactions.find(id)).toBeDefined();
      await interactions.destroy(id);
      expect(await interactions.find(id)).toBeUndefined();
      expect(await other.adapter('Interaction').find(id)).toBeDefined();
    });
    expect(await other.adapter('Interaction').find(id)).toBeUndefined();
    expect(await raw(`Interaction:${id}`)).not.toHaveProperty('payload');
  });

  it('of a token comes with its grant and its session in one call, or with the word that there is none', async () => {
    await units.begin(id);
    await other.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
    const bound = { kind: 'AccessToken', sessionUid: id, expiresWithSession: true };
    for (const grantId of [id, 'none']) {
      await other.adapter('AccessToken').upsert(grantId + id, { ...bound, grantId }, 60);
      await run(async () => {
        database.take();
        expect(await store.adapter('AccessToken').find(grantId + id)).toEqual({ ...bound, grantId });
        expect(await store.adapter('Session').findByUid(id)).toMatchObject({ uid: id, jti: `${id}-0` });
        expect((await store.adapter('Grant').find(grantId))?.jti).toBe(grantId === id ? id : undefined);
        expect(database.take()).toEqual(['aggregate oidc']);
      });
    }
    await other.sessions.revoke(id);
    await run(async () => {
      expect(await store.adapter('AccessToken').find(id + id)).toBeDefined();
      expect(await store.adapter('Session').findByUid(id)).toBeUndefined();
    });
  });
});

describe('a session', () => {
  it('that is gone is found by no uid, and one that was loaded without a further call', async () => {
    const sessions = store.adapter('Session');
    await units.begin(id);
    await run(async () => {
      await sessions.find(`${id}-0`);
      database.take();
      expect(await sessions.findByUid(id)).toMatchObject({ uid: id });
      expect(database.take()).toEqual([]);
      await store.sessions.revoke(id);
      expect(await sessions.findByUid(id)).toBeUndefined();
      expect(await sessions.find(`${id}-0`)).toBeUndefined();
      await expect(sessions.upsert(`${id}-0`, { uid: id, kind: 'Session' }, 60)).rejects.toThrow(SessionRevokedError);
    });
  });

  it('changed twice in one request keeps both changes, and leads to it by its new cookie value alone', async () => {
    const sessions = store.adapter('Session');
    await units.begin(id);
    await run(async () => {
      const [one, two] = [await sessions.find(`${id}-0`), await sessions.findByUid(id)];
      await sessions.upsert(`${id}-1`, { ...one, jti: `${id}-1`, loginTs: 2 }, 600);
      expect(await sessions.find(`${id}-0`)).toBeUndefined();
      expect(await sessions.find(`${id}-1`)).toMatchObject({ loginTs: 2 });
      await sessions.upsert(`${id}-0`, { ...two, state: { secret: 's' } }, 600);
    });
    const stored = await raw(`Session:${id}`);
    expect(stored).toMatchObject({ ids: [`${id}-1`], payload: { loginTs: 2, state: { secret: 's' } } });
  });

  it('is written first: ended on another node, nothing of that request is written, but what it ended is ended', async () => {
    await units.begin(id);
    await other.adapter('Interaction').upsert(id, { kind: 'Interaction', jti: id, params: {} }, 60);
    const lost = run(async () => {
      const session = await store.adapter('Session').find(`${id}-0`);
      await store.adapter('Interaction').destroy(id);
      await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      await store.adapter('AuthorizationCode').upsert(id, { kind: 'AuthorizationCode', jti: id }, 60);
      await store.adapter('Session').upsert(`${id}-1`, { ...session, jti: `${id}-1`, loginTs: 3 }, 600);
      await other.sessions.revoke(id);
    });
    await expect(lost).rejects.toThrow(SessionRevokedError);
    expect(await raw(`AuthorizationCode:${id}`)).toBeNull();
    expect(await raw(`Grant:${id}`)).toBeNull();
    expect(await other.adapter('Interaction').find(id)).toBeUndefined();
    expect(await other.sessions.isRevoked(id)).toBe(true);
    expect(await other.adapter('Session').find(`${id}-1`)).toBeUndefined();
  });

  it('is written first: ended before its first write, nothing of that request is written', async () => {
    await other.sessions.revoke(id);
    const lost = run(async () => {
      await store.adapter('AuthorizationCode').upsert(id, { kind: 'AuthorizationCode', jti: id }, 60);
      await store.adapter('Session').upsert(`${id}-0`, { kind: 'Session', uid: id, accountId: 'anna' }, 600);
    });
    await expect(lost).rejects.toThrow(SessionRevokedError);
    expect(await raw(`AuthorizationCode:${id}`)).toBeNull();
  });

  it('swept meanwhile is not made anew out of what a request has changed', async () => {
    await units.begin(id);
    const change = async () => {
      const session = await store.adapter('Session').find(`${id}-0`);
      await database.collection<Raw>('oidc').deleteOne({ _id: `Session:${id}` });
      await store.adapter('Session').upsert(`${id}-0`, { ...session, exp: 2 }, 600);
    };
    await expect(run(change)).rejects.toThrow(SessionRevokedError);
    expect(await raw(`Session:${id}`)).toBeNull();
    await units.begin(id);
    await expect(change()).rejects.toThrow(SessionRevokedError);
    expect(await raw(`Session:${id}`)).toBeNull();
  });

  it('is used once more by a refresh, with what that writes; where it is gone the tokens are written all the same', async () => {
    await units.begin(id);
    const limits = { idleSeconds: 900, overallSeconds: 2_000_000_000 };
    for (const uid of [id, 'gone']) {
      await run(async () => {
        await store.adapter('AccessToken').upsert(`${uid}-${id}`, { kind: 'AccessToken', jti: id }, 60);
        database.take();
        await store.sessions.extend(uid, limits);
        expect(database.take()).toEqual([]);
      });
      expect(await raw(`AccessToken:${uid}-${id}`)).not.toBeNull();
    }
    expect((await raw(`Session:${id}`))?.payload?.exp).toBe(Math.floor(clock.now().getTime() / 1000) + 900);
    // What cannot be converted fails: nobody's matter, and the last.
    await database
      .collection<Raw>('oidc')
      .updateOne({ _id: `Session:${id}` }, { $set: { 'payload.exp': 'never' as never } });
    await run(async () => {
      await store.adapter('AccessToken').upsert(id, { kind: 'AccessToken', jti: id }, 60);
      await store.sessions.extend(id, limits);
    });
    expect(await raw(`AccessToken:${id}`)).not.toBeNull();
  });
});

describe('at the end of a request', () => {
  const everything = async () => {
    await store.adapter('Interaction').destroy(`${id}-old`);
    await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
    await store.adapter('AuthorizationCode').upsert(id, { kind: 'AuthorizationCode', jti: id, grantId: id }, 60);
    await store.adapter('Session').upsert(id, { kind: 'Session', uid: id, accountId: 'anna', jti: id }, 600);
  };

  it('all its writes are one command, in order, with majority, the session in front', async () => {
    commands.length = 0;
    await run(everything);
    const [update, ...others] = written('update');
    expect([others.length, written('delete').length, written('insert').length]).toEqual([0, 0, 0]);
    expect(update?.command).toMatchObject({ ordered: true, writeConcern: { w: 'majority' } });
    const ids = update?.command.updates.map(({ q }: { q: { _id: string } }) => q._id);
    expect(ids).toEqual([`Session:${id}`, `Interaction:${id}-old`, `Grant:${id}`, `AuthorizationCode:${id}`]);
  });

  it('a fault gives up what was to be written, and still ends what was to be ended', async () => {
    await other.adapter('Interaction').upsert(`${id}-old`, { kind: 'Interaction', jti: id }, 60);
    let isDone = false;
    await store.units.run(async (unit) => {
      await everything();
      await store.units.onceWritten(async () => {
        isDone = true;
      });
      expect(await unit.abandon()).toBe(true);
      await unit.commit();
    });
    expect(isDone).toBe(false);
    for (const _id of [`Session:${id}`, `Grant:${id}`, `AuthorizationCode:${id}`]) expect(await raw(_id)).toBeNull();
    expect(await other.adapter('Interaction').find(`${id}-old`)).toBeUndefined();
  });

  it('what follows from an answer is done once it is written, never when it could not be', async () => {
    const seen: boolean[] = [];
    const follow = async () => void seen.push((await raw(`Grant:${id}`)) !== null);
    await run(async () => {
      await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
      await store.units.onceWritten(follow);
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual([true]);
    await other.sessions.revoke(id);
    const lost = run(async () => {
      await store.adapter('Session').upsert(id, { kind: 'Session', uid: id, jti: id }, 600);
      await store.units.onceWritten(follow);
    });
    await expect(lost).rejects.toThrow(SessionRevokedError);
    expect(seen).toEqual([true]);
    await store.units.onceWritten(follow);
    expect(seen).toEqual([true, true]);
  });

  it('what is written by what follows from the answer is written too', async () => {
    await store.units.run(async (unit) => {
      await store.units.onceWritten(() => store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60));
      await unit.commit();
    });
    expect(await raw(`Grant:${id}`)).not.toBeNull();
  });

  it('only a fresh interaction in which nobody has proved anything is content with one node', async () => {
    const interactions = store.adapter('Interaction');
    const concernOf = async (work: () => Promise<void>) => {
      commands.length = 0;
      await run(work);
      return written('update').map(({ command }) => command.writeConcern.w);
    };
    const fresh = { kind: 'Interaction', jti: id, params: {} };
    expect(await concernOf(() => interactions.upsert(id, fresh, 60))).toEqual([1]);
    const kept = async () => {
      await interactions.find(id);
      await interactions.upsert(id, fresh, 60);
    };
    expect(await concernOf(kept)).toEqual(['majority']);
    const proved = { login: { accountId: 'anna' } };
    expect(await concernOf(() => interactions.upsert(`${id}-1`, { ...fresh, result: proved }, 60))).toEqual([
      'majority',
    ]);
    expect(await concernOf(() => interactions.upsert(`${id}-2`, { ...fresh, lastSubmission: proved }, 60))).toEqual([
      'majority',
    ]);
    const both = async () => {
      await interactions.upsert(`${id}-3`, fresh, 60);
      await interactions.destroy(id);
    };
    expect(await concernOf(both)).toEqual(['majority']);
    expect(await concernOf(() => store.adapter('AccessToken').upsert(id, { kind: 'AccessToken' }, 60))).toEqual([
      'majority',
    ]);
  });

  it('it is over: what still runs writes at once, and reads what is there', async () => {
    let go = (): void => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    let late: Promise<void> | undefined;
    await run(async () => {
      expect(await store.adapter('Grant').find(id)).toBeUndefined();
      late = held.then(async () => {
        await store.adapter('Grant').upsert(id, { kind: 'Grant', jti: id }, 60);
        expect(await other.adapter('Grant').find(id)).toBeDefined();
        expect(await store.adapter('Grant').find(id)).toBeDefined();
      });
    });
    go();
    await late;
    expect(await raw(`Grant:${id}`)).not.toBeNull();
  });

  it('two requests at the same time keep what is theirs apart', async () => {
    const grants = store.adapter('Grant');
    const [bothWrote, bothRead] = [gate(2), gate(2)];
    const keepsApart = (own: string, another: string) =>
      run(async () => {
        await grants.upsert(`${id}-${own}`, { kind: 'Grant', jti: own }, 60);
        await bothWrote();
        expect(await grants.find(`${id}-${another}`)).toBeUndefined();
        await bothRead();
      });
    await Promise.all([keepsApart('a', 'b'), keepsApart('b', 'a')]);
    expect([await raw(`Grant:${id}-a`), await raw(`Grant:${id}-b`)]).not.toContain(null);
  });
});
