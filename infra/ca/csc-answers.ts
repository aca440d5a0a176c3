import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { unreadable, type CaCall } from './ca-http.ts';
import { cleanText } from './ca-text.ts';
import type { CaCredential, CredentialStatus } from './ca-types.ts';

/** Schemas for what CSC services answer, as tolerant as csc.md, section 5, shows they must be. */

/** A whole number, also as a string of digits. Counts beyond 2^53 are held at that. */
export const wholeNumber = z
  .union([z.number(), z.string().trim().regex(/^\d+$/).transform(Number)])
  .transform((value) => Math.min(value, Number.MAX_SAFE_INTEGER))
  .pipe(z.int().nonnegative());

/** A keyword: trimmed, lower case; booleans as their names. */
export const keyword = z
  .union([z.string(), z.boolean()])
  .transform((value) => value.toString().trim().toLowerCase());

/** Text to show; null and empty count as absent. */
export const optionalText = z
  .unknown()
  .optional()
  .transform((value) => cleanText(value));

const certificateSchema = z.object({
  status: keyword.nullish(),
  certificates: z.array(z.base64()).nullish(),
  issuerDN: z.string().nullish(),
  subjectDN: z.string().nullish(),
  serialNumber: z.string().nullish(),
  validTo: z.string().nullish(),
});

/** The members of credentials/info that both dialects have. */
export const credentialShape = {
  description: optionalText,
  key: z.object({ status: keyword.nullish() }).nullish(),
  cert: certificateSchema.nullish(),
  multisign: wholeNumber.pipe(z.int().positive()).nullish(),
};

export const grantedSchema = z
  .object({
    SAD: z.string().min(1).optional(),
    // SAFE writes it so.
    sad: z.string().min(1).optional(),
    expiresIn: wholeNumber.pipe(z.int().positive()).nullish(),
  })
  .transform((value, context) => {
    const sad = value.SAD ?? value.sad;
    if (sad !== undefined) return { sad, expiresInSeconds: value.expiresIn ?? 3600 };
    context.addIssue({ code: 'custom', message: 'no SAD' });
    return z.NEVER;
  });

export const signaturesSchema = z.object({ signatures: z.array(z.base64().min(1)) });

/** Parses a success; one that cannot be read is a protocol error, or leaves the outcome unknown. */
export function parseAnswer<T extends z.ZodType>(
  call: CaCall,
  schema: T,
  json: unknown,
): z.output<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  // Names of members only: zod's own messages may hold values.
  const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'body');
  throw unreadable(call, undefined, `cannot read ${[...new Set(where)].slice(0, 5).join(', ')}`);
}

type ParsedCredential = z.output<z.ZodObject<typeof credentialShape>>;

/** What both dialects tell of the certificate, its status and its limits. */
export function readCredential(
  call: CaCall,
  credentialId: string,
  { description, key, cert, multisign }: ParsedCredential,
): Omit<CaCredential, 'authMode' | 'factors'> {
  const certificateChain = (cert?.certificates ?? []).map((each) => Buffer.from(each, 'base64'));
  return {
    credentialId,
    ...(description === undefined ? {} : { description }),
    status: statusOf(call, key?.status, cert?.status),
    // csc.md 3.4: required and at least 1; a service that leaves it out is held to one signature.
    multisign: multisign ?? 1,
    certificateChain,
    ...readNames(call, certificateChain[0], cert),
  };
}

function statusOf(
  call: CaCall,
  key: string | null | undefined,
  certificate: string | null | undefined,
): CredentialStatus {
  switch (certificate ?? 'valid') {
    case 'expired':
      return 'certificate_expired';
    case 'revoked':
      return 'certificate_revoked';
    case 'suspended':
      return 'certificate_suspended';
    case 'valid':
      break;
    default:
      throw unreadable(call, undefined, 'unknown cert.status');
  }
  return (key ?? 'enabled') === 'enabled' ? 'usable' : 'key_disabled';
}

type Names = Pick<CaCredential, 'subject' | 'issuer' | 'serial' | 'notAfter'>;

/** From the certificate itself when there is one; what the CA says of it must be readable all the same. */
function readNames(call: CaCall, der: Buffer | undefined, said: ParsedCredential['cert']): Names {
  const saidNotAfter = said?.validTo == null ? undefined : parseGeneralizedTime(call, said.validTo);
  if (der !== undefined) {
    const certificate = parseCertificate(call, der);
    return {
      subject: certificate.subject.split('\n').join(', '),
      issuer: certificate.issuer.split('\n').join(', '),
      serial: plainSerial(certificate.serialNumber),
      notAfter: new Date(certificate.validTo),
    };
  }
  const { subjectDN, issuerDN, serialNumber } = said ?? {};
  if (subjectDN == null || issuerDN == null || serialNumber == null || saidNotAfter === undefined) {
    throw unreadable(call, undefined, 'neither certificate nor its description');
  }
  return {
    subject: subjectDN,
    issuer: issuerDN,
    serial: plainSerial(serialNumber),
    notAfter: saidNotAfter,
  };
}

function parseCertificate(call: CaCall, der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw unreadable(call, undefined, 'cannot read cert.certificates');
  }
}

const plainSerial = (hex: string): string =>
  hex
    .replace(/[^0-9a-f]/gi, '')
    .toUpperCase()
    .replace(/^0+(?=.)/, '');

/** `YYYYMMDDHHMMSSZ`, UTC (csc.md 3.1); anything else is refused, also 31 February. */
function parseGeneralizedTime(call: CaCall, text: string): Date {
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text.trim())?.slice(1);
  if (parts !== undefined) {
    const [year, month, day, hour, minute, second] = parts;
    const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
    const date = new Date(iso);
    if (!Number.isNaN(date.getTime()) && date.toISOString() === iso) return date;
  }
  throw unreadable(call, undefined, 'cannot read cert.validTo');
}
