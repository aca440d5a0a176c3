import { constants, privateEncrypt } from 'node:crypto';
import { Refusal } from './refusal.ts';
import { hashOf, newSecret, type Credential, type Sad, type SimulatorState } from './state.ts';

interface Digest {
  readonly length: number;
  /** DigestInfo without the digest (RFC 8017, 9.2, note 1). */
  readonly prefix: Buffer;
}

const digest = (length: number, prefix: string): Digest => ({
  length,
  prefix: Buffer.from(prefix, 'hex'),
});
const sha256 = digest(32, '3031300d060960864801650304020105000420');
const sha384 = digest(48, '3041300d060960864801650304020205000430');
const sha512 = digest(64, '3051300d060960864801650304020305000440');

const rsaEncryption = '1.2.840.113549.1.1.1';
const byHashAlgorithm = new Map([
  ['2.16.840.1.101.3.4.2.1', sha256],
  ['2.16.840.1.101.3.4.2.2', sha384],
  ['2.16.840.1.101.3.4.2.3', sha512],
]);
const bySignatureAlgorithm = new Map([
  ['1.2.840.113549.1.1.11', sha256],
  ['1.2.840.113549.1.1.12', sha384],
  ['1.2.840.113549.1.1.13', sha512],
]);

export const signatureAlgorithms = [rsaEncryption, ...bySignatureAlgorithm.keys()];

interface SigningAsked {
  readonly sad: unknown;
  readonly hashes: unknown;
  readonly hashAlgorithm: unknown;
  readonly signatureAlgorithm: unknown;
}

/** Finds a SAD that is in force for the credential, or refuses with the text of csc.md 3.4. */
function findSad(state: SimulatorState, credential: Credential, secret: unknown, now: Date): Sad {
  if (typeof secret !== 'string') {
    throw new Refusal('Missing (or invalid type) string parameter SAD');
  }
  const sad = state.kept.sads[hashOf(secret)];
  // A SAD dies with its last signature, so a used-up one is as unknown as a revoked one.
  if (sad?.credentialID !== credential.credentialID || sad.revoked || sad.remaining < 1) {
    throw new Refusal('Invalid parameter SAD');
  }
  if (now >= new Date(sad.expiresAt)) throw new Refusal('SAD expired');
  return sad;
}

/** Makes real RSA signatures (PKCS #1 v1.5) of the hashes, in their order, and counts them down. */
export function signHashes(
  state: SimulatorState,
  credential: Credential,
  asked: SigningAsked,
  options: { readonly rolling: boolean; readonly now: Date },
): string[] {
  const sad = findSad(state, credential, asked.sad, options.now);
  if (options.rolling && sad.spent) throw new Refusal('Invalid parameter SAD');
  if (credential.keyStatus === 'disabled') {
    throw new Refusal('The credential identified by credentialID is disabled');
  }
  if (
    credential.certificateStatus !== 'valid' ||
    options.now >= new Date(credential.certificate.notAfter)
  ) {
    throw new Refusal(`Signing certificate '${credential.certificate.subject}' is expired.`);
  }
  const used = digestOf(asked);
  const hashes = parseHashes(asked.hashes, used);
  if (hashes.length > sad.remaining) throw new Refusal('Numbers of signatures is too high');
  sad.remaining -= hashes.length;
  sad.spent = true;
  return hashes.map((hash) =>
    privateEncrypt(
      { key: credential.certificate.privateKeyPem, padding: constants.RSA_PKCS1_PADDING },
      Buffer.concat([used.prefix, hash]),
    ).toString('base64'),
  );
}

/** Rolling mode: a new SAD for what is left of an old one, which dies. */
export function extendSad(
  state: SimulatorState,
  credential: Credential,
  secret: unknown,
  now: Date,
): { sad: string; expiresIn: number } {
  const old = findSad(state, credential, secret, now);
  const sad = newSecret();
  state.kept.sads[hashOf(sad)] = { ...old, spent: false };
  old.revoked = true;
  return { sad, expiresIn: Math.floor((Date.parse(old.expiresAt) - now.getTime()) / 1000) };
}

function digestOf({ hashAlgorithm, signatureAlgorithm }: SigningAsked): Digest {
  if (signatureAlgorithm === rsaEncryption) {
    const found = byHashAlgorithm.get(String(hashAlgorithm));
    if (found === undefined) throw new Refusal('Invalid parameter hashAlgo');
    return found;
  }
  const found = bySignatureAlgorithm.get(String(signatureAlgorithm));
  if (found === undefined) throw new Refusal('Invalid parameter signAlgo');
  return found;
}

function parseHashes(value: unknown, { length }: Digest): Buffer[] {
  if (!Array.isArray(value) || value.length === 0) throw new Refusal('Empty hash array');
  return value.map((each: unknown) => {
    if (typeof each !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(each)) {
      throw new Refusal('Invalid Base64 hash string parameter');
    }
    const hash = Buffer.from(each, 'base64');
    if (hash.length !== length) throw new Refusal('Invalid digest value length');
    return hash;
  });
}
