import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { issueSealCertificate, newKey } from './certificates.ts';
import { Refusal } from './refusal.ts';
import type { Credential, SimulatorState } from './state.ts';

const presence = z.enum(['true', 'false', 'optional']);
// One for all simulators of a process, made when the first is asked for.
let sharedKey: ReturnType<typeof newKey> | undefined;
const dayMs = 86_400_000;

/** What `POST /simulator/credentials` takes. Without pin and otp the credential asks for nothing. */
const newCredentialSchema = z.strictObject({
  credentialID: z.string().min(1).max(200).optional(),
  account: z.string(),
  description: z.string().max(255).optional(),
  /** Default: explicit with a factor, implicit without. */
  authMode: z.enum(['implicit', 'explicit', 'oauth2code']).optional(),
  pin: z
    .strictObject({
      presence: presence.default('true'),
      value: z.string().default('1234'),
      format: z.enum(['A', 'N']).default('N'),
    })
    .optional(),
  otp: z
    .strictObject({
      presence: presence.default('true'),
      type: z.enum(['online', 'offline']).default('online'),
    })
    .optional(),
  /** Without, credentials share a key: certificates differ, and making one takes no time. */
  ownKey: z.boolean().default(false),
  multisign: z.number().int().positive().optional(),
  keyStatus: z.enum(['enabled', 'disabled']).default('enabled'),
  certificateStatus: z.enum(['valid', 'expired', 'revoked', 'suspended']).default('valid'),
  /** End of the certificate, RFC 3339; default two years from now. */
  notAfter: z.iso.datetime().optional(),
});

export type NewCredential = z.input<typeof newCredentialSchema>;

/** Has the root issue a certificate and adds the credential. */
export async function addCredential(
  state: SimulatorState,
  input: unknown,
  now: Date,
): Promise<Credential> {
  const parsed = newCredentialSchema.safeParse(input);
  if (!parsed.success) throw new Refusal(z.prettifyError(parsed.error));
  const { account, pin, otp, multisign, keyStatus, certificateStatus, ownKey, ...given } =
    parsed.data;
  const { root, accounts, credentials } = state.kept;
  if (root === undefined || accounts[account] === undefined) throw new Refusal('Unknown account');
  const credentialID = given.credentialID ?? `qseal-${randomBytes(8).toString('hex')}`;
  if (credentials[credentialID] !== undefined) {
    throw new Refusal('credentialID exists', 'conflict', 409);
  }
  const certificate = issueSealCertificate(
    root,
    credentialID.slice(0, 64),
    new Date(now.getTime() - dayMs),
    new Date(given.notAfter ?? now.getTime() + 730 * dayMs),
    await (ownKey ? newKey() : (sharedKey ??= newKey())),
  );
  const credential: Credential = {
    credentialID,
    account,
    description: given.description ?? `Electronic seal ${credentialID}`.slice(0, 255),
    certificate,
    authMode: given.authMode ?? ((pin ?? otp) ? 'explicit' : 'implicit'),
    ...(pin && { pin }),
    ...(otp && { otp }),
    ...(multisign === undefined ? {} : { multisign }),
    generatorKey: randomBytes(20).toString('hex'),
    keyStatus,
    certificateStatus,
    wrongPinCount: 0,
    wrongOtpCount: 0,
    pinLocked: false,
    otpLocked: false,
  };
  credentials[credentialID] = credential;
  state.changed();
  return credential;
}

/** How a credential is told to whoever made it; the names and serial are those of its certificate. */
export const presentCredential = ({ credentialID, account, certificate }: Credential) => ({
  credentialID,
  account,
  subject: certificate.subject,
  issuer: certificate.issuer,
  serial: certificate.serial,
  notAfter: certificate.notAfter,
});
