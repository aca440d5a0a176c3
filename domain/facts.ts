import { isAboveWarning, lapseReason, standingOf, type EndReason, type Grant } from './grant.ts';
import type { Standing } from './grant.ts';
import type { Policy } from './policy.ts';
import { isOpen, type RenewalState } from './renewal.ts';

/** An instant as RFC 3339 in UTC: facts travel as JSON through Temporal. */
export type Instant = string;

/**
 * What PostgreSQL knows of one grant and of the renewal that obtains it, as the workflow needs it: ids, instants and counts, under 500 bytes, no secret
 * and no address. Calendar arithmetic is already done (`reminderAt`).
 */
export type GrantFacts = {
  readonly v: 1;
  readonly grantId: string;
  readonly accountId: string;
  readonly certificateId: string;
  readonly renewal: {
    readonly state: RenewalState;
    readonly deadlineAt: Instant;
    /** End of the open code window, if one is open. */
    readonly codeWindowEndsAt?: Instant;
    /** While `authorizing`: when the answer counts as lost. */
    readonly authorizationEndsAt?: Instant;
  };
  /** Absent until the renewal is granted. */
  readonly grant?: {
    readonly effectiveAt: Instant;
    readonly expiresAt: Instant;
    readonly endsWithCertificate?: true;
    readonly allowance: number;
    readonly used: number;
    readonly endedAt?: Instant;
    readonly endReason?: EndReason;
  };
  /** When the operators are to be reminded next, if at all before the expiry. */
  readonly reminderAt?: Instant;
  /** Consequences that were already seen to; absent means still owed when its time has come. */
  readonly done: {
    readonly usageAnnounced?: true;
    readonly servicesSuspended?: true;
    readonly lapseAnnounced?: true;
  };
  /** A signing service reported that the CA refuses, and the operators were not told yet. */
  readonly refusalReported?: true;
  /** When SAD or tokens that are over are to be revoked at the CA: this grant's, or those of grants before it. */
  readonly revokeAt?: Instant;
  /** A later grant of the same certificate is there. */
  readonly superseded?: true;
};

export function grantOf(facts: GrantFacts): Grant | undefined {
  if (facts.grant === undefined) return undefined;
  const { effectiveAt, expiresAt, allowance, endsWithCertificate, endedAt, endReason } =
    facts.grant;
  return {
    effectiveAt: new Date(effectiveAt),
    expiresAt: new Date(expiresAt),
    allowance,
    endsWithCertificate: endsWithCertificate ?? false,
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt) }),
    ...(endReason === undefined ? {} : { endReason }),
  };
}

function standingOfFacts(facts: GrantFacts, now: Date, policy: Policy): Standing {
  return standingOf(grantOf(facts), facts.grant?.used ?? 0, now, policy);
}

/** What ops filter the list of workflows by: the standing of one grant, from the click on Renew to its end. */
export type GrantStandingName = 'requested' | 'in_force' | 'warned' | 'lapsed' | 'ended';

export function grantStandingName(facts: GrantFacts, now: Date, policy: Policy): GrantStandingName {
  if (facts.superseded) return 'ended';
  const standing = standingOfFacts(facts, now, policy);
  if (standing.kind !== 'none') return standing.kind;
  return isOpen(facts.renewal.state) ? 'requested' : 'ended';
}

/** The instant from which the grant is over, as far as is known: its expiry unless it ended or was used up before. */
export function lapsesAt(facts: GrantFacts): Date | undefined {
  const grant = grantOf(facts);
  if (grant === undefined) return undefined;
  const used = facts.grant?.used ?? 0;
  if (used >= grant.allowance) return grant.effectiveAt;
  if (grant.endedAt !== undefined && lapseReason(grant, used, grant.endedAt) !== undefined) {
    return grant.endedAt;
  }
  return grant.expiresAt;
}

export function usageWarningOwed(facts: GrantFacts, policy: Policy): boolean {
  if (facts.grant === undefined || facts.done.usageAnnounced) return false;
  return isAboveWarning(facts.grant.used, facts.grant.allowance, policy);
}
