import { multisignOf } from './credential-authorization.ts';
import type { Simulator } from './csc-call.ts';
import { newSentOtp } from './otp.ts';
import { Refusal } from './refusal.ts';
import { signatureAlgorithms } from './signing.ts';
import type { Consent, Credential } from './state.ts';
import { switchesFor, type Switches } from './switches.ts';

/** One authenticated call of either dialect. */
export interface CscCall {
  readonly simulator: Simulator;
  readonly consent: Consent;
  readonly body: Readonly<Record<string, unknown>>;
}

export type CscMethod = (call: CscCall) => unknown;

/** The credential that is named, if it is of the account that authorized the call. */
export function credentialOf({ simulator, consent, body }: CscCall): Credential {
  const { credentialID } = body;
  if (typeof credentialID !== 'string') {
    throw new Refusal('Missing (or invalid type) string parameter credentialID');
  }
  const credential = simulator.state.kept.credentials[credentialID];
  if (credential?.account !== consent.account) {
    throw new Refusal('Invalid parameter credentialID');
  }
  return credential;
}

export const switchesOf = (call: CscCall, credential?: Credential): Switches =>
  switchesFor(call.simulator.state.switches, {
    credentialID: credential?.credentialID,
    account: call.consent.account,
  });

/** credentials/list, paged as CSC v1 has it. */
export function listCredentials(call: CscCall): {
  credentialIDs: string[];
  nextPageToken?: string;
} {
  const { body, consent, simulator } = call;
  // csc.md 3.4: SHALL NOT be sent with user-specific authorization.
  if (body['userID'] !== undefined) throw new Refusal('userID parameter MUST be null');
  const switches = switchesOf(call);
  if (switches.emptyList === true) return { credentialIDs: [] };
  const ids = simulator.state.credentialsOf(consent.account).map((each) => each.credentialID);
  const token = body['pageToken'];
  const start = token === undefined ? 0 : typeof token === 'string' ? ids.indexOf(token) : -1;
  if (start < 0) throw new Refusal('Invalid parameter pageToken');
  const size = switches.listPageSize ?? (Number(body['maxResults'] ?? 100) || 100);
  const next = ids[start + size];
  return {
    credentialIDs: ids.slice(start, start + size),
    ...(next === undefined ? {} : { nextPageToken: next }),
  };
}

/** What both dialects' credentials/info have in common. */
export function describeCredential(call: CscCall, credential: Credential): Record<string, unknown> {
  const { certificate } = credential;
  const asked = call.body['certificates'] ?? 'single';
  if (typeof asked !== 'string' || !['none', 'single', 'chain'].includes(asked)) {
    throw new Refusal('Invalid parameter certificates');
  }
  return {
    description: credential.description,
    key: { status: credential.keyStatus, algo: signatureAlgorithms, len: 2048 },
    cert: {
      status: credential.certificateStatus,
      ...(asked === 'none'
        ? {}
        : { certificates: asked === 'chain' ? certificate.chain : certificate.chain.slice(0, 1) }),
      ...(isTrue(call.body['certInfo'])
        ? {
            issuerDN: certificate.issuer,
            serialNumber: certificate.serial,
            subjectDN: certificate.subject,
            validFrom: generalizedTime(certificate.notBefore),
            validTo: generalizedTime(certificate.notAfter),
          }
        : {}),
    },
    SCAL: '1',
    multisign: multisignOf(credential, call.consent),
    ...(typeof call.body['lang'] === 'string' ? { lang: call.body['lang'] } : {}),
  };
}

/** Names and explanations of the factors in the language asked for (Portuguese or English). */
export function factorTexts(
  lang: unknown,
): Record<'pin' | 'otp', { label: string; description: string }> {
  return typeof lang === 'string' && lang.toLowerCase().startsWith('pt')
    ? {
        pin: { label: 'PIN do certificado', description: 'O PIN escolhido na emissão.' },
        otp: {
          label: 'Código de autorização',
          description: 'Seis algarismos, enviados para o telemóvel.',
        },
      }
    : {
        pin: {
          label: 'Certificate PIN',
          description: 'The PIN chosen when the certificate was issued.',
        },
        otp: { label: 'Authorization code', description: 'Six digits, sent to the phone.' },
      };
}

/** Sends a new online OTP to the simulated phone; the one before dies. */
export function sendOtp(call: CscCall, lockedText: string): void {
  const credential = credentialOf(call);
  if (credential.otp?.type !== 'online') throw new Refusal('Invalid parameter credentialID');
  if (credential.otpLocked) throw new Refusal(lockedText);
  credential.sentOtp = newSentOtp(call.simulator.now());
}

export const isTrue = (value: unknown): boolean => value === true || value === 'true';

/** `YYYYMMDDHHMMSSZ`, as CSC writes validity. */
const generalizedTime = (instant: string): string => instant.replace(/[-:T]|\.\d+/g, '');
