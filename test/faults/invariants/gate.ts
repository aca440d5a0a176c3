import type { Evidence, GrantEvidence } from '../evidence.ts';
import type { GateAnswered } from '../record.ts';

/** How far the gate's measured clock may be from PostgreSQL's, in ms. */
const clockErrorMs = 30;

type Allowed = GateAnswered & { readonly grant: GrantEvidence };

/** The gate never said yes past the time limit, past the usage limit as counted when it was asked, or for a service known not to be active. */
export function nothingAllowedPastALimit(evidence: Evidence): string[] {
  const grants = new Map(evidence.grants.map((grant) => [grant.grantId, grant]));
  return evidence.record.answers
    .filter(({ maySign }) => maySign)
    .flatMap((answer) => {
      const grant = grants.get(answer.grantId ?? '');
      if (grant === undefined || grant.certificateId !== answer.certificateId) {
        return [`${answer.certificateId}: allowed without a grant of its own (${answer.grantId})`];
      }
      const allowed = { ...answer, grant };
      const wrong = [
        pastTime(allowed),
        pastUsage(allowed, evidence),
        underOldGrant(allowed, evidence),
        fromOldFacts(allowed, evidence),
        notActive(allowed, evidence),
      ];
      return wrong.flatMap((what) =>
        what === undefined ? [] : [`${answer.certificateId} (${answer.ask}): ${what}`],
      );
    });
}

function pastTime({ askedAt, grant }: Allowed): string | undefined {
  const lateMs = askedAt - grant.expiresAt.getTime();
  return lateMs >= clockErrorMs ? `allowed ${lateMs} ms after the time limit` : undefined;
}

/** Facts that were committed before this instant were in what the gate answered from. */
const readAt = ({ asOf, askedAt }: GateAnswered): number => (asOf ?? askedAt) - clockErrorMs;

function pastUsage(allowed: Allowed, { sighting }: Evidence): string | undefined {
  const usedUpAt = sighting.usedUpAt.get(allowed.grant.grantId);
  if (usedUpAt === undefined || usedUpAt >= readAt(allowed)) return undefined;
  return `allowed ${readAt(allowed) - usedUpAt} ms after the usage limit was counted`;
}

function underOldGrant(allowed: Allowed, { sighting }: Evidence): string | undefined {
  const supersededAt = sighting.supersededAt.get(allowed.grant.grantId);
  if (supersededAt === undefined || supersededAt >= readAt(allowed)) return undefined;
  return `allowed under a grant ${readAt(allowed) - supersededAt} ms after its successor was stored`;
}

function fromOldFacts(allowed: Allowed, { gateStaleSeconds }: Evidence): string | undefined {
  if (allowed.asOf === undefined) return undefined;
  const ageMs = allowed.askedAt - allowed.asOf;
  return ageMs > gateStaleSeconds * 1000 + clockErrorMs
    ? `allowed from facts that were ${ageMs} ms old`
    : undefined;
}

function notActive(allowed: Allowed, { sighting, audits }: Evidence): string | undefined {
  const { serviceId, answeredAt } = allowed;
  if (serviceId === undefined) return undefined;
  const from = readAt(allowed);
  const isKnown = sighting.notActive
    .get(serviceId)
    ?.some((span) => span.from < from && answeredAt < span.to);
  if (isKnown !== true) return undefined;
  // Between two looks it may have been activated and suspended again.
  const wasActivated = audits.some(
    ({ action, subject, at }) =>
      action === 'client_service_activated' &&
      subject === `client_service:${serviceId}` &&
      at.getTime() > from - 1_000 &&
      at.getTime() < answeredAt + 1_000,
  );
  return wasActivated ? undefined : 'allowed for a service that was not active';
}

/** When all is quiet the gate says of every certificate what the facts say. */
export function gateKnowsTheFactsInTheEnd({ lastAnswers, grants }: Evidence): string[] {
  return lastAnswers.flatMap(({ certificateId, maySign, grantId, askedAt }) => {
    const latest = grants.find(
      (grant) => grant.certificateId === certificateId && grant.successorId === undefined,
    );
    if (latest?.grantId !== grantId) {
      return [`${certificateId}: the gate names ${grantId}, the latest is ${latest?.grantId}`];
    }
    if (latest === undefined) return maySign ? [`${certificateId}: allowed without a grant`] : [];
    const leftMs = latest.expiresAt.getTime() - askedAt;
    const isInForce = leftMs > 0 && latest.used < latest.allowance;
    // Asked at the very limit, either answer may be right.
    if (maySign === isInForce || Math.abs(leftMs) < 1_000) return [];
    return [`${certificateId}: the gate says ${maySign}, the facts say ${isInForce}`];
  });
}
