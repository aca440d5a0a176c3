import { randomBytes, webcrypto } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSealer } from './sealing.ts';

const [first, second, third] = ['k1', 'k2', 'k3'].map((id) => ({ id, key: randomBytes(32) })) as [
  { id: string; key: Buffer },
  { id: string; key: Buffer },
  { id: string; key: Buffer },
];
const sealer = createSealer([second, first]);

describe('a sealed secret', () => {
  it('opens to what was sealed, whatever it was, and is another one each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uuid(), (secret, grantId) => {
        const [one, other] = [sealer.seal(secret, grantId), sealer.seal(secret, grantId)];
        expect(one).not.toBe(other);
        expect([one, other].map((sealed) => sealer.open(sealed, grantId))).toEqual([
          secret,
          secret,
        ]);
      }),
    );
  });

  it('is AES-256-GCM with the id of its grant as associated data, as another implementation reads it', async () => {
    const sealed = sealer.seal('the SAD', 'grant-1');
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
    const key = await webcrypto.subtle.importKey('raw', second.key, 'AES-GCM', false, ['decrypt']);
    const opened = await webcrypto.subtle.decrypt(
      { name: 'AES-GCM', iv: bytes.subarray(0, 12), additionalData: Buffer.from('grant-1') },
      key,
      // Web Crypto has the tag behind the ciphertext, the envelope before it.
      Buffer.concat([bytes.subarray(28), bytes.subarray(12, 28)]),
    );
    expect(Buffer.from(opened).toString()).toBe('the SAD');
  });

  it('names its key: the newest seals, any of the keyring opens', () => {
    expect(sealer.keyIds).toEqual(['k2', 'k1']);
    expect(sealer.seal('s', 'g')).toMatch(/^v1\.k2\./);
    const old = createSealer([first]).seal('s', 'g');
    expect(old).toMatch(/^v1\.k1\./);
    expect(sealer.open(old, 'g')).toBe('s');
  });

  it('whose key is not in the keyring is refused with the name of the key and of the row, and without the value', () => {
    const foreign = createSealer([third]).seal('s', 'grant-9');
    const message =
      'what belongs to grant-9 is sealed with the key "k3", which is not in SEALING_KEYS';
    expect(() => sealer.open(foreign, 'grant-9')).toThrow(new Error(message));
  });

  it('does not open for another grant', () => {
    const sealed = sealer.seal('s', 'grant-1');
    expect(() => sealer.open(sealed, 'grant-2')).toThrow();
  });

  it('does not open with another key of the same name', () => {
    const impostor = createSealer([{ id: 'k2', key: randomBytes(32) }]);
    expect(() => impostor.open(sealer.seal('s', 'g'), 'g')).toThrow();
  });

  it('does not open when any of its bits was changed, or it was cut short', () => {
    const [version, keyId, envelope = ''] = sealer.seal('secret', 'g').split('.');
    const bytes = Buffer.from(envelope, 'base64url');
    const opens = (changed: Buffer): boolean => {
      try {
        sealer.open(`${version}.${keyId}.${changed.toString('base64url')}`, 'g');
        return true;
      } catch {
        return false;
      }
    };
    expect(opens(bytes)).toBe(true);
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(opens(changed)).toBe(false);
    }
    for (let length = 0; length < bytes.length; length += 1) {
      expect(opens(bytes.subarray(0, length))).toBe(false);
    }
  });

  it.each(['', 'plain', 'v1.k2', 'v2.k2.AAAA', 'v1..AAAA', 'v1.k2.AAAA.AAAA', 'v1.k2.A A'])(
    'is not %p',
    (value) => {
      expect(() => sealer.open(value, 'g')).toThrow('not a sealed value: what belongs to g');
    },
  );

  it('needs a key to be made', () => {
    expect(() => createSealer([])).toThrow('the sealing keyring is empty');
  });
});
