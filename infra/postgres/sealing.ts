import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** Keys of 32 bytes by id, newest first: the newest seals, any opens. */
export type Keyring = readonly { readonly id: string; readonly key: Buffer }[];

/** Seals secrets for storage: AES-256-GCM, the key's id in the envelope, what it belongs to as associated data. */
export type Sealer = {
  /** Newest first. */
  readonly keyIds: readonly string[];
  /** `belongsTo` is the id of the row: a sealed value moved to another row does not open. */
  seal(secret: string, belongsTo: string): string;
  /** Throws when the key id is unknown, the row is another one, or a bit was changed. */
  open(sealed: string, belongsTo: string): string;
};

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;
/** Version, id of the key, then IV, tag and ciphertext. */
const envelopeShape = /^v1\.([\w-]+)\.([\w-]+)$/;

export function createSealer(keyring: Keyring): Sealer {
  const newest = keyring[0];
  if (newest === undefined) throw new Error('the sealing keyring is empty');
  const byId = new Map(keyring.map(({ id, key }) => [id, key]));
  return {
    keyIds: keyring.map(({ id }) => id),
    seal(secret, belongsTo) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, newest.key, iv).setAAD(Buffer.from(belongsTo));
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return `v1.${newest.id}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open(sealed, belongsTo) {
      const [, keyId, envelope] = envelopeShape.exec(sealed) ?? [];
      if (keyId === undefined || envelope === undefined) {
        throw new Error(`not a sealed value: what belongs to ${belongsTo}`);
      }
      const key = byId.get(keyId);
      if (key === undefined) {
        throw new Error(
          `what belongs to ${belongsTo} is sealed with the key "${keyId}", which is not in SEALING_KEYS`,
        );
      }
      const bytes = Buffer.from(envelope, 'base64url');
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(Buffer.from(belongsTo))
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
      const body = bytes.subarray(ivBytes + tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
  };
}

/**
 * SHA-256, for secrets of 128 bits and more that are looked up and never read back: `state`, session ids, API keys, tokens of mails. They are compared as hashes
 * only: an index or a map that takes its time tells at most how a hash begins, which nobody can aim at and from which no secret follows. Where code itself
 * compares two of them it uses `timingSafeEqual`.
 */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** A secret of 256 bits, URL safe. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
