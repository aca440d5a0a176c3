import {
  createHash,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
  createPrivateKey,
} from 'node:crypto';
import { promisify } from 'node:util';
import * as der from './der.ts';

/** A key and the certificate issued for it. */
export interface IssuedCertificate {
  readonly privateKeyPem: string;
  /** Base64 DER, end entity first, root last. */
  readonly chain: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex. */
  readonly serial: string;
  /** RFC 3339, whole seconds. */
  readonly notBefore: string;
  readonly notAfter: string;
}

const newRsaKey = promisify(generateKeyPair);
const dayMs = 86_400_000;

const names = {
  C: (value: string) => attribute('2.5.4.6', der.printableString(value)),
  O: (value: string) => attribute('2.5.4.10', der.utf8String(value)),
  CN: (value: string) => attribute('2.5.4.3', der.utf8String(value)),
};
const rootName = der.sequence(
  names.C('PT'),
  names.O('Simulated CA (not a real one)'),
  names.CN('CSC Simulator Root CA'),
);
const sha256WithRsa = der.sequence(der.objectIdentifier('1.2.840.113549.1.1.11'), der.nothing());
// Bits of KeyUsage (RFC 5280, 4.2.1.3): keyCertSign and cRLSign, or digitalSignature and nonRepudiation.
const rootExtensions = [
  extension('2.5.29.19', der.sequence(der.boolean(true))),
  extension('2.5.29.15', der.bitString(Buffer.from([0x06]), 1)),
];
const sealExtensions = [
  extension('2.5.29.19', der.sequence()),
  extension('2.5.29.15', der.bitString(Buffer.from([0xc0]), 6)),
];

/** Makes the simulator's root: self-signed, RSA 2048, ten years. */
export async function issueRoot(now: Date): Promise<IssuedCertificate> {
  const privateKey = await newKey();
  const certificate = issue({
    subject: rootName,
    subjectKey: privateKey,
    signingKey: privateKey,
    notBefore: new Date(now.getTime() - dayMs),
    notAfter: new Date(now.getTime() + 3650 * dayMs),
    extensions: rootExtensions,
  });
  return describe(privateKey, certificate, []);
}

/** A new RSA 2048 key; takes some tenths of a second. */
export const newKey = async (): Promise<KeyObject> =>
  (await newRsaKey('rsa', { modulusLength: 2048 })).privateKey;

/** Issues a seal certificate for `name` and the key given, under the root. */
export function issueSealCertificate(
  root: IssuedCertificate,
  name: string,
  notBefore: Date,
  notAfter: Date,
  privateKey: KeyObject,
): IssuedCertificate {
  const certificate = issue({
    subject: der.sequence(names.C('PT'), names.O('Cliente de Demonstração'), names.CN(name)),
    subjectKey: privateKey,
    signingKey: createPrivateKey(root.privateKeyPem),
    notBefore,
    notAfter,
    extensions: sealExtensions,
  });
  return describe(privateKey, certificate, root.chain);
}

interface CertificateContent {
  readonly subject: Buffer;
  readonly subjectKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}

/** A version 3 certificate (RFC 5280, 4.1), issued by the root. */
function issue(content: CertificateContent): Buffer {
  // First byte 0x5a: positive, and without a leading zero that tools print differently.
  const serial = Buffer.concat([Buffer.from([0x5a]), randomBytes(15)]);
  const identifiers = [
    extension('2.5.29.14', der.octetString(keyIdentifier(content.subjectKey)), false),
    extension('2.5.29.35', der.sequence(der.implicit(0, keyIdentifier(content.signingKey))), false),
  ];
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    sha256WithRsa,
    rootName,
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    content.subject,
    createPublicKey(content.subjectKey).export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...content.extensions, ...identifiers)),
  );
  const signature = sign('sha256', toBeSigned, content.signingKey);
  return der.sequence(toBeSigned, sha256WithRsa, der.bitString(signature));
}

function attribute(type: string, value: Buffer): Buffer {
  return der.set(der.sequence(der.objectIdentifier(type), value));
}

function extension(type: string, value: Buffer, critical = true): Buffer {
  const mark = critical ? [der.boolean(true)] : [];
  return der.sequence(der.objectIdentifier(type), ...mark, der.octetString(value));
}

/** A name for a key (RFC 5280, 4.2.1.2, leaves the way to make one open). */
const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);

function describe(
  privateKey: KeyObject,
  certificate: Buffer,
  issuers: readonly string[],
): IssuedCertificate {
  const parsed = new X509Certificate(certificate);
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chain: [certificate.toString('base64'), ...issuers],
    subject: parsed.subject.split('\n').join(', '),
    issuer: parsed.issuer.split('\n').join(', '),
    serial: parsed.serialNumber,
    notBefore: new Date(parsed.validFrom).toISOString(),
    notAfter: new Date(parsed.validTo).toISOString(),
  };
}
