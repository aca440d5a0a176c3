import type { AuditEvidence, Evidence, GrantEvidence } from '../evidence.ts';

/**
 * The services of every grant that was known to have lapsed before its successor was stored are suspended because of it, no others. By time it is exact:
 * both instants are compared under the certificate's lock. By usage it is known once the count was seen at the allowance.
 */
export function lapsedGrantsSuspended(evidence: Evidence): string[] {
  return evidence.grants.flatMap((grant) => {
    const { grantId, servicesSuspendedAt } = grant;
    const must = mustBeSuspended(grant, evidence);
    if (must === true && servicesSuspendedAt === undefined) {
      return [`${grantId} lapsed and suspended nothing`];
    }
    return must === false && servicesSuspendedAt !== undefined
      ? [`${grantId} did not lapse before its successor and suspended services`]
      : [];
  });
}

/** Undefined where either is right: the count reached the allowance about when the successor was stored. */
function mustBeSuspended(
  { grantId, expiresAt, used, allowance, successorId }: GrantEvidence,
  { grants, sighting, lookedAt }: Evidence,
): boolean | undefined {
  const successor = grants.find((grant) => grant.grantId === successorId);
  const endsAt = successor?.recordedAt ?? lookedAt;
  if (expiresAt <= endsAt) return true;
  if (used < allowance) return false;
  if (successor === undefined) return true;
  const usedUpAt = sighting.usedUpAt.get(grantId);
  return usedUpAt !== undefined && usedUpAt < endsAt.getTime() ? true : undefined;
}

/** Services change as the audit tells, and in no other way: a suspension takes all that are active, an operator's hand one at a time. */
export function servicesChangedAsTold(evidence: Evidence): string[] {
  return evidence.certificates.flatMap(({ certificateId }) => {
    const services = evidence.services.filter((each) => each.certificateId === certificateId);
    const statuses = new Map(services.map((each) => [each.serviceId, each.statusAtFirst]));
    const aliasOf = new Map(services.map(({ serviceId, alias }) => [serviceId, alias]));
    const wrong: string[] = [];
    for (const event of evidence.audits.filter((each) => each.certificateId === certificateId)) {
      const complaint = replay(event, statuses, aliasOf);
      if (complaint !== undefined) wrong.push(`${certificateId}: ${complaint}`);
    }
    for (const { serviceId, status, alias } of services) {
      const told = statuses.get(serviceId);
      if (told !== status) wrong.push(`${certificateId}: ${alias} is ${status}, the audit says ${told}`);
    }
    return wrong;
  });
}

function replay(
  { action, subject, details, at }: AuditEvidence,
  statuses: Map<string, string>,
  aliasOf: ReadonlyMap<string, string>,
): string | undefined {
  const serviceId = subject.replace('client_service:', '');
  switch (action) {
    case 'client_services_suspended': {
      const active = [...statuses].filter(([, status]) => status === 'active');
      const expected = active.map(([id]) => aliasOf.get(id) ?? id).sort();
      for (const [id] of active) statuses.set(id, 'suspended');
      const told = (details['clientServices'] as string[]).toSorted();
      return told.join() === expected.join()
        ? undefined
        : `at ${at.toISOString()} [${told.join()}] were suspended, [${expected.join()}] were active`;
    }
    case 'client_service_activated':
      statuses.set(serviceId, 'active');
      return undefined;
    case 'client_service_deactivated':
      statuses.set(serviceId, 'inactive');
      return undefined;
    default:
      return undefined;
  }
}

/** Nothing is activated but by an operator who asked for it. */
export function activatedByHandOnly({ audits, record }: Evidence): string[] {
  const activated = audits.filter(({ action }) => action === 'client_service_activated');
  return activated.flatMap(({ actor, subject }) => {
    const serviceId = subject.replace('client_service:', '');
    const asked = record.activations.some((each) => each.serviceId === serviceId);
    return asked && actor.startsWith('operator:') ? [] : [`${serviceId} was activated by ${actor}`];
  });
}

/** Who was told that a service is active had it activated. */
export function activationsHappened({ audits, record, services }: Evidence): string[] {
  return record.activations.flatMap(({ serviceId, told }) => {
    if (told !== 'active') return [];
    const wasActive =
      services.some((each) => each.serviceId === serviceId && each.statusAtFirst === 'active') ||
      audits.some(
        ({ action, subject }) =>
          action === 'client_service_activated' && subject === `client_service:${serviceId}`,
      );
    return wasActive ? [] : [`${serviceId} was told active and never was`];
  });
}
