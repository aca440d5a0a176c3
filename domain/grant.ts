import type { Policy } from './policy.ts';

/** Why a certificate that had a grant may not sign any more. Every reason suspends the client services. */
export type LapseReason =
  'grant_expired' | 'allowance_exhausted' | 'revoked' | 'ended_by_ca' | 'certificate_ended';

/** Why a grant ended before its expiry. */
export type EndReason = 'superseded' | 'revoked' | 'ended_by_ca';

/** Which rule ends the grant first. */
export type BindingLimit = 'policy_time' | 'policy_usage' | 'ca' | 'certificate';

/** A permission obtained at the CA. Instants are whole seconds; the span is half-open: [effectiveAt, endedAt or expiresAt). */
export type Grant = {
  readonly effectiveAt: Date;
  readonly expiresAt: Date;
  readonly allowance: number;
  /** True when the certificate's own end is what `expiresAt` comes from. */
  readonly endsWithCertificate: boolean;
  readonly endedAt?: Date | undefined;
  readonly endReason?: EndReason | undefined;
};

export type Warning = 'time' | 'usage';

export type Standing =
  | { readonly kind: 'none' }
  | { readonly kind: 'in_force' }
  | { readonly kind: 'warned'; readonly warnings: readonly Warning[] }
  | { readonly kind: 'lapsed'; readonly reason: LapseReason };

/** The words that API, search attribute and screens use. */
export type StandingName = Standing['kind'];

/**
 * The rule of the regulation: may a certificate with this latest grant sign at `now`, with `used` signatures counted?
 * Time check: until, and not including, `expiresAt`. Usage check: below, and not including, `allowance`.
 */
export function standingOf(
  grant: Grant | undefined,
  used: number,
  now: Date,
  policy: Policy,
): Standing {
  if (grant === undefined) return { kind: 'none' };
  const reason = lapseReason(grant, used, now);
  if (reason !== undefined) return { kind: 'lapsed', reason };
  const warnings = warningsOf(grant, used, now, policy);
  return warnings.length === 0 ? { kind: 'in_force' } : { kind: 'warned', warnings };
}

/** The one question that the gate asks at every signature. */
export function maySign(standing: Standing): boolean {
  return standing.kind === 'in_force' || standing.kind === 'warned';
}

/** What ended the grant by `now`, or undefined while it is in force. A superseded grant is asked about as it was on its own: by its limits. */
export function lapseReason(grant: Grant, used: number, now: Date): LapseReason | undefined {
  const endedEarly = grant.endReason === 'revoked' || grant.endReason === 'ended_by_ca';
  if (endedEarly && grant.endedAt !== undefined && now >= grant.endedAt) return grant.endReason;
  if (now >= grant.expiresAt)
    return grant.endsWithCertificate ? 'certificate_ended' : 'grant_expired';
  if (used >= grant.allowance) return 'allowance_exhausted';
  return undefined;
}

function warningsOf(grant: Grant, used: number, now: Date, policy: Policy): Warning[] {
  const warnings: Warning[] = [];
  if (now >= timeWarningStartsAt(grant, policy)) warnings.push('time');
  if (isAboveWarning(used, grant.allowance, policy)) warnings.push('usage');
  return warnings;
}

/** The week before the expiry, or the whole grant where it is shorter than that. */
export function timeWarningStartsAt(
  grant: Pick<Grant, 'effectiveAt' | 'expiresAt'>,
  policy: Policy,
): Date {
  const weekBefore = grant.expiresAt.getTime() - policy.warningSeconds * 1000;
  return new Date(Math.max(grant.effectiveAt.getTime(), weekBefore));
}

/** "Over 90 %": strictly more. In integers, so that no rounding decides. */
export function isAboveWarning(used: number, allowance: number, policy: Policy): boolean {
  return used * 100 > allowance * policy.usageWarningPercent;
}

/** Whole percent of the allowance that is used, rounded down, so that no figure shows a limit that was not reached. */
export function usagePercent(used: number, allowance: number): number {
  return Math.floor((used * 100) / allowance);
}

/** What the CA answered to the credential authorization, and the certificate it is for. */
export type GrantTerms = {
  /** Read just before the CA was called. */
  readonly calledAt: Date;
  readonly expiresInSeconds: number;
  /** What was asked for: min(policy allowance, the CA's multisign). */
  readonly allowance: number;
  readonly certificateNotAfter: Date;
};

export type NewGrant = Grant & { readonly bindingLimit: BindingLimit };

/** How many signatures to ask for: never above the regulation, nor above what the CA lets one authorization have (CSC `multisign`). */
export function allowanceToAsk(multisign: number, policy: Policy): number {
  return Math.min(policy.allowance, multisign);
}

/**
 * The grant that the CA's answer gives (DESIGN 4): expires_at = min(effective_at + 60 days, effective_at + expiresIn, certificate not_after);
 * effective_at is rounded down to a whole second, so a grant is never longer than the CA's. Undefined when nothing is left of it.
 */
export function newGrant(terms: GrantTerms, policy: Policy): NewGrant | undefined {
  const effectiveMs = Math.floor(terms.calledAt.getTime() / 1000) * 1000;
  const byPolicy = effectiveMs + policy.grantSeconds * 1000;
  const byCa = effectiveMs + Math.floor(terms.expiresInSeconds) * 1000;
  const byCertificate = Math.floor(terms.certificateNotAfter.getTime() / 1000) * 1000;
  const expiresMs = Math.min(byPolicy, byCa, byCertificate);
  if (expiresMs <= effectiveMs) return undefined;
  const shorter: BindingLimit | undefined =
    byCertificate === expiresMs && byCertificate < Math.min(byPolicy, byCa)
      ? 'certificate'
      : byCa < byPolicy || terms.allowance < policy.allowance
        ? 'ca'
        : undefined;
  return {
    effectiveAt: new Date(effectiveMs),
    expiresAt: new Date(expiresMs),
    allowance: terms.allowance,
    endsWithCertificate: shorter === 'certificate',
    bindingLimit: shorter ?? 'policy_time',
  };
}
