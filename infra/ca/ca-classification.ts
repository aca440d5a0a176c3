import { CaError, type CaErrorDetails, type CaErrorKind } from './ca-error.ts';

/** An answer of the CA that is not a success. */
export interface CaRefusal {
  readonly operation: string;
  readonly httpStatus: number;
  /** As the CA sent them, already bounded and without secrets. */
  readonly error: string | undefined;
  readonly description: string | undefined;
  /** Whether the call changes something, so that an unclear answer leaves its outcome open. */
  readonly changes: boolean;
}

type Verdict = [CaErrorKind, Pick<CaErrorDetails, 'factor' | 'lock'>?];

/**
 * Judges a refusal by the table of csc.md, section 10. CSC v1 says most things by its free text
 * only, so texts come before statuses; codes are compared trimmed and without regard to case.
 */
export function classifyRefusal(refusal: CaRefusal): CaError {
  const [kind, more] = judge(refusal);
  return new CaError(kind, {
    operation: refusal.operation,
    httpStatus: refusal.httpStatus,
    caError: refusal.error,
    caErrorDescription: refusal.description,
    ...more,
  });
}

function judge({ operation, httpStatus, error, description, changes }: CaRefusal): Verdict {
  const code = error?.trim().toLowerCase() ?? '';
  const text = `${code} ${description?.toLowerCase() ?? ''}`;
  if (httpStatus === 429 || httpStatus === 503 || code === 'temporarily_unavailable') {
    return [changes ? 'transient_not_processed' : 'unreachable'];
  }
  if (httpStatus === 501) return ['protocol_error'];
  // A redirect is not followed: a proxy or login page answered, and nobody knows what it passed on.
  if (httpStatus < 400 || httpStatus === 408 || httpStatus >= 500 || code === 'server_error') {
    return [changes ? 'outcome_unknown' : httpStatus < 400 ? 'protocol_error' : 'unreachable'];
  }
  if (code === 'invalid_pin') return ['factor_rejected', { factor: 'pin' }];
  if (code === 'invalid_otp') return ['factor_rejected', { factor: 'otp' }];
  if (code === 'invalid_authentication_data') return ['factor_rejected', { factor: 'unknown' }];
  if (text.includes('pin locked')) return ['locked', { lock: 'pin' }];
  if (text.includes('otp locked')) return ['locked', { lock: 'otp' }];
  if (text.includes('credential locked')) return ['locked', { lock: 'credential' }];
  if (
    text.includes('is disabled') ||
    text.includes('invalid certificate status') ||
    /signing certificate .*is expired/.test(text)
  ) {
    return ['certificate_unusable'];
  }
  if (/numbers? of signatures is too high|signaturelimit will be exceeded/.test(text)) {
    return ['limit_refused'];
  }
  if (
    ['invalid_grant', 'invalid_client', 'unauthorized_client'].includes(code) ||
    text.includes('client authorization required') ||
    (operation.startsWith('oauth2/') && httpStatus === 401)
  ) {
    return ['reauthorize'];
  }
  if (
    /sad expired|invalid parameter sad|expired or has been revoked|signaturelimit already exceeded/.test(
      text,
    )
  ) {
    return ['grant_dead'];
  }
  if (
    httpStatus === 401 ||
    code === 'expired_token' ||
    code === 'invalid_token' ||
    text.includes('the access token is not valid')
  ) {
    return ['session_dead'];
  }
  return ['unknown_refusal'];
}
