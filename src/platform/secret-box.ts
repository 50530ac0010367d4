import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** Encryption at rest and keyed hashing. */
export interface SecretBox {
  /** AES-256-GCM; the result is `keyId.nonce.ciphertext+tag` (base64url). `context` (for example `account/field`) is authenticated, so that a sealed value moved to another row does not open. */
  seal(plain: string | Uint8Array, context: string): string;
  /** @throws Error when the key is unknown, the value was changed, or `context` differs. */
  open(sealed: string, context: string): Buffer;
  /** HMAC-SHA-256 with a key derived for `purpose`, base64url: for look-ups by a secret value. */
  index(value: string, purpose: string): string;
  /** True when `sealed` was not made with the newest key. */
  isStale(sealed: string): boolean;
}

export interface SealingKey {
  /** Stands in front of every sealed value: letters, digits, `-`, `_`. */
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

/** Which key a value was sealed with. */
export const sealingKeyOf = (sealed: string): string => sealed.split('.', 1)[0] ?? '';

/** @param keys newest first: the first seals, all open. @param indexKey 32 bytes; never rotated without re-indexing. */
export function createSecretBox(keys: readonly SealingKey[], indexKey: Buffer): SecretBox {
  const [newest] = keys;
  if (!newest) throw new TypeError('at least one sealing key is needed');
  const byId = new Map(keys.map(({ id, key }) => [id, createSecretKey(key)]));
  const sealing = createSecretKey(newest.key);
  // OpenSSL reads each once: from its bytes it would do so at every use, which costs more than the use.
  const purposes = new Map<string, KeyObject>();
  const keyFor = (purpose: string): KeyObject => {
    let key = purposes.get(purpose);
    if (!key) {
      key = createSecretKey(Buffer.from(hkdfSync('sha256', indexKey, '', purpose, 32)));
      purposes.set(purpose, key);
    }
    return key;
  };
  return {
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return `${newest.id}.${nonce.toString('base64url')}.${body.toString('base64url')}`;
    },
    open(sealed, context) {
      const [id = '', nonce = '', body = ''] = sealed.split('.');
      const key = byId.get(id);
      if (!key) throw new Error('sealed with an unknown key');
      const bytes = Buffer.from(body, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
    },
    index: (value, purpose) => createHmac('sha256', keyFor(purpose)).update(value).digest('base64url'),
    isStale: (sealed) => sealingKeyOf(sealed) !== newest.id,
  };
}
