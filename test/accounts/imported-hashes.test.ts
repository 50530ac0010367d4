import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createPasswords, refusalOfHash } from '../../src/accounts/index.js';
import { systemRandom } from '../../src/platform/random.js';
import { slowHash } from '../../src/platform/slow-hash.js';

const passwords = createPasswords({ random: systemRandom });
const verify = (hash: string, password: string) => passwords.verify({ hash, isImported: true }, password);

/** Made by other implementations: the reference ones of argon2 and bcrypt, passlib, and Python's hashlib. */
const MADE_ELSEWHERE = [
  ['password', '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc'],
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['password', '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
  ['café crème', '$scrypt$ln=4,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$Mw3WW9/kikel4ZOYgb4gNC8nQeL3bwfvJrrGFG4FQkM'],
  ['café crème', '$pbkdf2-sha256$i=1000,l=32$AAECAwQFBgcICQoLDA0ODw$sRg2OYy0CX+zCU9oV4V72ERgAKHHoYS5uKaoeIHS8CU'],
  [
    'café crème',
    '$pbkdf2-sha512$1000$AAECAwQFBgcICQoLDA0ODw$0NOxkNketgueQfPIRCHDsmipxUVS2eyr/Eeyi0EiivG3JPcp0VFS6rpFV1OYLYFfUlXCJbr2uzYjRON2HJnJxg',
  ],
] as const;

const SALT = Buffer.alloc(16, 7).toString('base64').replaceAll('=', '');
const HASH = createHash('sha256').update('x').digest('base64').replaceAll('=', '');
const BCRYPT_END = 'CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

describe('hashes of other systems', () => {
  it.each(MADE_ELSEWHERE)('the password %s and %s', async (password, hash) => {
    expect(refusalOfHash(hash)).toBeUndefined();
    expect(await verify(hash, password)).toEqual({ isRight: true, needsRehash: true });
    expect(await verify(hash, `${password}.`)).toEqual({ isRight: false, needsRehash: false });
    expect((await verify(hash, '')).isRight).toBe(false);
  });

  it('are of the password as it was typed, not of its NFKC form', async () => {
    const typed = 'ﬁsh and chips';
    const elsewhere = await slowHash(typed, { memoryKiB: 64, passes: 1 });
    expect((await verify(elsewhere, typed)).isRight).toBe(true);
    expect((await verify(elsewhere, 'fish and chips')).isRight).toBe(false);
  });

  it('of bcrypt know 72 bytes, as ever: what is longer gets in, and is no password to make a new hash of', async () => {
    // Of 72 letters x.
    const hash = '$2b$04$FyltxN3M5hoCBXmlziYn8OEz5l1BR2NAzyAIY86Hgwqbe/LWPljQa';
    expect(await verify(hash, 'x'.repeat(72))).toEqual({ isRight: true, needsRehash: true });
    expect(await verify(hash, `${'x'.repeat(72)} and more`)).toEqual({ isRight: true, needsRehash: false });
    expect((await verify(hash, 'x'.repeat(71))).isRight).toBe(false);
  });

  it('are not made anew of a password that is longer than ours may be', async () => {
    const long = 'y'.repeat(200);
    const elsewhere = await slowHash(long, { memoryKiB: 64, passes: 1 });
    expect(await verify(elsewhere, long)).toEqual({ isRight: true, needsRehash: false });
  });

  it.each([
    ['plain', 'unknown'],
    ['', 'unknown'],
    [`$2x$05$${BCRYPT_END}`, 'unknown'],
    ['$1$salt$qJH7.N4xYta3aEG/dfqo/0', 'unknown'],
    [`$argon2i$v=19$m=256,t=2,p=1$${SALT}$${HASH}`, 'unknown'],
    [`$argon2id$v=19$m=256,t=2,p=1$${SALT}$${'A'.repeat(300)}`, 'unknown'],
    [`$argon2id$m=256,t=2,p=1$${SALT}$${HASH}`, 'malformed'],
    [`$argon2id$v=19$m=256,t=2$${SALT}$${HASH}`, 'malformed'],
    [`$argon2id$v=19$m=256,t=2,t=9,p=1$${SALT}$${HASH}`, 'malformed'],
    [`$argon2id$v=19$m=256,t=2,p=1$${SALT}$AAAA`, 'malformed'],
    [`$argon2id$v=19$m=256,t=2,p=1$${SALT}$${HASH}==`, 'malformed'],
    [`$argon2id$v=19$m=131073,t=1,p=1$${SALT}$${HASH}`, 'too_costly'],
    [`$argon2id$v=19$m=65536,t=17,p=1$${SALT}$${HASH}`, 'too_costly'],
    ['$2b$10$short', 'malformed'],
    [`$2b$03$${BCRYPT_END}`, 'malformed'],
    [`$2b$15$${BCRYPT_END}`, 'too_costly'],
    [`$scrypt$ln=17,r=8$${SALT}$${HASH}`, 'malformed'],
    [`$scrypt$ln=0,r=8,p=1$${SALT}$${HASH}`, 'malformed'],
    [`$scrypt$ln=18,r=8,p=1$${SALT}$${HASH}`, 'too_costly'],
    [`$scrypt$ln=17,r=8,p=5$${SALT}$${HASH}`, 'too_costly'],
    [`$pbkdf2-sha1$1000$${SALT}$${HASH}`, 'unknown'],
    [`$pbkdf2-sha256$0$${SALT}$${HASH}`, 'malformed'],
    [`$pbkdf2-sha256$i=1000,l=16$${SALT}$${HASH}`, 'malformed'],
    [`$pbkdf2-sha256$2000001$${SALT}$${HASH}`, 'too_costly'],
  ])('%s is refused as %s, and nobody gets in by it', async (hash, reason) => {
    expect(refusalOfHash(hash)).toBe(reason);
    expect(await verify(hash, 'x')).toEqual({ isRight: false, needsRehash: false });
  });

  it.each([
    `$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${HASH}`,
    `$2b$14$${BCRYPT_END}`,
    `$scrypt$ln=17,r=8,p=1$${SALT}$${HASH}`,
    `$pbkdf2-sha256$600000$${SALT}$${HASH}`,
    `$pbkdf2-sha512$i=210000$${SALT}$${HASH}`,
  ])('%s, as it is made today, is taken', (hash) => {
    expect(refusalOfHash(hash)).toBeUndefined();
  });
});
