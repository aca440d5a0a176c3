import { Problem, type ProblemCode } from '../../domain/errors.ts';
import type { RenewalOutcome } from '../../domain/renewal.ts';
import { CaError, type CaErrorKind } from '../../infra/ca/csc-client.ts';

/** What of a CA's error may stand in log and audit: its own free text is left out, since it may name people. */
export function caFacts(error: unknown): Record<string, unknown> {
  if (!(error instanceof CaError)) return { caErrorKind: 'not_a_ca_error' };
  const { operation, httpStatus, caError, factor, lock, reason } = error.details;
  return Object.fromEntries(
    Object.entries({
      caErrorKind: error.kind,
      operation,
      httpStatus,
      caError,
      factor,
      lock,
      reason,
    }).filter(([, value]) => value !== undefined),
  );
}

export type RefusedOutcome =
  | 'consent_denied'
  | 'certificate_unusable'
  | 'ca_unreachable'
  | 'ca_refused'
  | 'ca_misconfigured'
  | 'ca_session_ended'
  | 'factor_locked';

const outcomeByKind: Record<CaErrorKind, RefusedOutcome> = {
  factor_rejected: 'ca_refused',
  locked: 'factor_locked',
  certificate_unusable: 'certificate_unusable',
  limit_refused: 'ca_refused',
  grant_dead: 'ca_refused',
  session_dead: 'ca_session_ended',
  reauthorize: 'ca_session_ended',
  user_denied: 'consent_denied',
  transient_not_processed: 'ca_unreachable',
  outcome_unknown: 'ca_unreachable',
  unreachable: 'ca_unreachable',
  protocol_error: 'ca_misconfigured',
  unknown_refusal: 'ca_refused',
};

/** How a renewal ends that the CA put an end to. Not for the authorization itself, whose lost answer is an outcome of its own. */
export function outcomeOf(error: unknown): RefusedOutcome {
  if (!(error instanceof CaError)) return 'ca_refused';
  const { caError, caErrorDescription } = error.details;
  // Our own client id or secret is refused, not the person's code or token.
  const isOurs =
    error.kind === 'reauthorize' &&
    (caError !== 'invalid_grant' || /client/i.test(caErrorDescription ?? ''));
  return isOurs ? 'ca_misconfigured' : outcomeByKind[error.kind];
}

/** `error` of the redirect back (RFC 6749, 4.1.2.1). */
export function outcomeOfCallback(error: string): RefusedOutcome {
  if (error === 'access_denied') return 'consent_denied';
  if (error === 'temporarily_unavailable' || error === 'server_error') return 'ca_unreachable';
  const isOurs = /^(unauthorized_client|invalid_request|invalid_scope|unsupported_response_type)$/;
  return isOurs.test(error) ? 'ca_misconfigured' : 'ca_refused';
}

const problemByOutcome: Partial<Record<RenewalOutcome, ProblemCode>> = {
  ca_unreachable: 'ca_unreachable',
  ca_misconfigured: 'ca_misconfigured',
  ca_session_ended: 'ca_session_ended',
  factor_locked: 'factor_locked',
  certificate_ended: 'certificate_ended',
};

/** The problem that a call answers with when its renewal ended so. */
export function problemOf(outcome: RefusedOutcome | 'certificate_ended', cause?: unknown): Problem {
  return new Problem(problemByOutcome[outcome] ?? 'ca_refused', { outcome }, { cause });
}
