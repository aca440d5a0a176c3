/** A factor that a credential asks for, in words of the platform. */
export interface CaFactor {
  readonly name: 'pin' | 'otp';
  /** The CA's own wording in the language asked for: text, never markup. */
  readonly label: string;
  readonly description?: string;
  /** False: may be left empty. */
  readonly required: boolean;
  /** The CA sends this code when asked with `sendCode`. */
  readonly online: boolean;
  /** Digits only. Says nothing on length, on purpose (csc.md 3.4). */
  readonly numeric: boolean;
}

export type CredentialStatus =
  | 'usable'
  | 'key_disabled'
  | 'certificate_expired'
  | 'certificate_revoked'
  | 'certificate_suspended';

/** A credential of a client account, as the CA describes it now. */
export interface CaCredential {
  readonly credentialId: string;
  readonly description?: string;
  readonly status: CredentialStatus;
  /** How it is authorized: with nothing, with factors in our dialog, or on the CA's own page. */
  readonly authMode: 'implicit' | 'explicit' | 'oauth';
  /** Empty unless `authMode` is `explicit`. */
  readonly factors: readonly CaFactor[];
  /** The most signatures that one authorization may ask for, from 1. */
  readonly multisign: number;
  /** DER, end entity first; empty when the CA sent none. */
  readonly certificateChain: readonly Buffer[];
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex without leading zeros. */
  readonly serial: string;
  readonly notAfter: Date;
}

export interface CredentialAuthorization {
  readonly credentialId: string;
  readonly signatureCount: number;
  readonly pin?: string | undefined;
  readonly otp?: string | undefined;
  /** Shown or kept by the CA, up to 500 characters. */
  readonly description?: string | undefined;
  /** Sent as `clientData`, which a CA may log. */
  readonly correlationId?: string | undefined;
}

export interface GrantedAuthorization {
  readonly sad: string;
  /** Counted from the answer; 3600 when the CA does not say (csc.md 3.2). */
  readonly expiresInSeconds: number;
}

export interface HashesToSign {
  readonly credentialId: string;
  readonly sad: string;
  /** SHA-256 digests. */
  readonly hashes: readonly Buffer[];
}

/** What differs between versions of CSC. The CA's spelling stops behind this interface. */
export interface CscDialect {
  listCredentialIds(accessToken: string): Promise<string[]>;
  getCredential(
    accessToken: string,
    credentialId: string,
    lang: string | undefined,
  ): Promise<CaCredential>;
  sendCode(accessToken: string, credentialId: string): Promise<void>;
  authorizeCredential(
    accessToken: string,
    asked: CredentialAuthorization,
  ): Promise<GrantedAuthorization>;
  /** Signatures (RSA, PKCS #1 v1.5) in the order of the hashes. */
  signHash(accessToken: string, asked: HashesToSign): Promise<Buffer[]>;
}

/**
 * The values to send for the factors asked for: nothing that was not asked for, nothing empty.
 * `missing` names the required ones that were left out.
 */
export function selectFactorValues(
  factors: readonly CaFactor[],
  given: { readonly pin?: string | undefined; readonly otp?: string | undefined },
): { values: { pin?: string; otp?: string }; missing: ('pin' | 'otp')[] } {
  const values: { pin?: string; otp?: string } = {};
  const missing: ('pin' | 'otp')[] = [];
  for (const { name, required } of factors) {
    const value = given[name];
    if (value !== undefined && value !== '') values[name] = value;
    else if (required) missing.push(name);
  }
  return { values, missing };
}
