/**
 * What can go wrong with the CA, as far as its callers act differently on it (csc.md, section 10,
 * "Classification of a CA answer").
 */
export type CaErrorKind =
  /** The PIN or OTP is wrong; `factor` says which when the CA does. */
  | 'factor_rejected'
  /** Too many wrong tries; `lock` says what is locked. To be unlocked at the CA. */
  | 'locked'
  /** Key disabled, or certificate expired, revoked or suspended. */
  | 'certificate_unusable'
  /** More signatures were asked for than the CA allows at once. */
  | 'limit_refused'
  /** The SAD has expired, was revoked or is used up. */
  | 'grant_dead'
  /** The access token is not good any more; refresh it or sign in again. The grant may well live. */
  | 'session_dead'
  /** The code, refresh token or client credentials were refused: the OAuth flow starts again. */
  | 'reauthorize'
  /** The person at the CA pressed "deny". */
  | 'user_denied'
  /** Surely not processed: could not connect, 429, 503. */
  | 'transient_not_processed'
  /** A call that changes something got no readable answer: it may or may not have been processed. */
  | 'outcome_unknown'
  /** A call that may be repeated got no answer, however often it was tried. */
  | 'unreachable'
  /** The CA answers in a way that this client cannot understand or must not trust. */
  | 'protocol_error'
  /** A refusal that is none of the above. */
  | 'unknown_refusal';

export interface CaErrorDetails {
  /** The method or endpoint, such as `credentials/authorize`. */
  readonly operation: string;
  readonly httpStatus?: number | undefined;
  /** The CA's `error` and `error_description`, bounded and cleaned: text for people and logs. */
  readonly caError?: string | undefined;
  readonly caErrorDescription?: string | undefined;
  readonly factor?: 'pin' | 'otp' | 'unknown' | undefined;
  readonly lock?: 'pin' | 'otp' | 'credential' | undefined;
  /** What this client found wrong, or the network's error code. Never taken from a body. */
  readonly reason?: string | undefined;
}

/**
 * The one error of the CA client. Safe to log by construction: it holds no request, no body and no
 * `cause` (those of HTTP and OAuth libraries hold tokens), and the CA's texts have had the secrets
 * of the call taken out before they come here.
 */
export class CaError extends Error {
  override readonly name = 'CaError';
  readonly kind: CaErrorKind;
  readonly details: CaErrorDetails;

  constructor(kind: CaErrorKind, details: CaErrorDetails) {
    const { operation, httpStatus, caError, caErrorDescription, reason } = details;
    const said = [httpStatus, caError, caErrorDescription, reason].filter((each) => each != null);
    super(`CA ${operation}: ${kind}${said.length > 0 ? ` (${said.join(', ')})` : ''}`);
    this.kind = kind;
    this.details = details;
  }

  toJSON(): Record<string, unknown> {
    return { name: this.name, kind: this.kind, ...this.details };
  }
}
