import { describe, expect, it, jest } from '@jest/globals';
import { createPasswords } from '../../src/accounts/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { slowHash, slowVerify } from '../../src/platform/slow-hash.js';

const PHRASE = 'a quiet morning in March';

describe('password hashes', () => {
  const passwords = createPasswords({ random: systemRandom });

  it('are argon2id of the normalised password, salted', async () => {
    const [one, two] = await Promise.all([passwords.hash('café'), passwords.hash('café')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=7168,t=5,p=1\$/);
    expect(one).not.toBe(two);
    expect(await passwords.verify({ hash: one }, 'cafe\u0301')).toEqual({ isRight: true, needsRehash: false });
    expect(await passwords.verify({ hash: one }, 'cafe')).toEqual({ isRight: false, needsRehash: false });
  });

  it('with older parameters are to be made anew once the password is known', async () => {
    const old = await slowHash(PHRASE, { memoryKiB: 1024, passes: 1 });
    expect(await passwords.verify({ hash: old }, PHRASE)).toEqual({ isRight: true, needsRehash: true });
    expect(await passwords.verify({ hash: old }, 'another')).toEqual({ isRight: false, needsRehash: false });
  });

  it('cost one hash of the same parameters where there is nothing to compare with', async () => {
    const verify = jest.fn(slowVerify);
    const counted = createPasswords({ random: systemRandom, derive: { slowHash, slowVerify: verify } });
    const stored = await counted.hash(PHRASE);
    for (const [hash, password] of [
      [undefined, PHRASE],
      [undefined, 'x'],
      [stored, 'wrong'],
      [stored, ''],
      [stored, 'x'.repeat(129)],
      [stored, 'x'.repeat(1_000_000)],
    ] as const) {
      verify.mockClear();
      expect((await counted.verify(hash === undefined ? undefined : { hash }, password)).isRight).toBe(false);
      expect(verify).toHaveBeenCalledTimes(1);
      const [against = '', input = ''] = verify.mock.calls[0] ?? [];
      expect(against.split('$').slice(0, 4)).toEqual(stored.split('$').slice(0, 4));
      expect(against).toHaveLength(stored.length);
      expect(input.length).toBeLessThanOrEqual(128);
    }
  });
});

describe('the gate before the hashes', () => {
  it('lets two work, two wait, and refuses the others at once', async () => {
    let running = 0;
    let most = 0;
    const open: (() => void)[] = [];
    const slow = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => open.push(resolve));
      running -= 1;
      return 'hash';
    };
    const passwords = createPasswords({
      random: systemRandom,
      width: 2,
      queueLength: 2,
      derive: { slowHash: slow, slowVerify },
    });
    const accepted = Array.from({ length: 4 }, () => passwords.hash(PHRASE));
    await expect(passwords.hash(PHRASE)).rejects.toMatchObject({
      code: 'OVERLOADED',
      status: 503,
      retryAfterSeconds: expect.any(Number),
    });
    while (open.length > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(accepted)).toEqual(['hash', 'hash', 'hash', 'hash']);
    expect(most).toBe(2);
  });

  it('gives the place back after a fault', async () => {
    const passwords = createPasswords({ random: systemRandom, width: 1, queueLength: 0 });
    await expect(passwords.verify({ hash: 'no hash' }, PHRASE)).rejects.toThrow();
    expect(await passwords.hash(PHRASE)).toContain('argon2id');
  });
});
