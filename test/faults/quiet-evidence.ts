import { regulationPolicy } from '../../domain/policy.ts';
import type { Evidence } from './evidence.ts';
import { emptyRecord, type GateAnswered } from './record.ts';

/** Seconds after the beginning of the storm, as an instant in ms. */
export const at = (seconds: number): number => Date.parse('2026-06-01T12:00:00Z') + seconds * 1_000;
const instant = (seconds: number): Date => new Date(at(seconds));

export const certificateId = 'certificate';
const ids = { certificateId, accountId: 'account' };
const operator = { operatorId: 'ana', accountId: 'account', email: 'ana@example.test' };

/** A question to the gate at ten seconds, while the first grant was in force. */
export const allowed = (changes: Partial<GateAnswered> = {}): GateAnswered => ({
  ...{ certificateId, ask: 'access', serviceId: undefined },
  ...{ askedAt: at(10), answeredAt: at(10.1), asOf: at(9.5) },
  ...{ maySign: true, reason: undefined, grantId: 'first' },
  ...changes,
});

/**
 * A storm in which nothing went wrong: the first grant was used and expired after 20 s, which suspended the invoices; after 30 s a second one took its place,
 * an operator activated the invoices by hand, and it is in force still when everything is looked at after 60 s.
 */
export function quietEvidence(): Evidence {
  const record = emptyRecord();
  record.answers.push(allowed());
  record.events.push({ certificateId, eventId: 'event', count: 7, isAcknowledged: true });
  record.renewals.push(
    { certificateId, way: 'straight', renewalId: 'first', told: 'granted' },
    { certificateId, way: 'straight', renewalId: 'lost', told: 'outcome_unknown' },
  );
  record.activations.push({ certificateId, serviceId: 'invoices', told: 'active' });
  const facts = (grantId: string) => ({
    ...({ v: 1, grantId, ...ids, done: {} } as const),
    renewal: { state: 'granted', deadlineAt: instant(900).toISOString() } as const,
  });
  return {
    policy: regulationPolicy,
    gateStaleSeconds: 5,
    lookedAt: instant(60),
    record,
    sighting: {
      usedUpAt: new Map(),
      supersededAt: new Map([['first', at(30.1)]]),
      notActive: new Map([['invoices', [{ from: at(20.2), to: at(34) }]]]),
    },
    certificates: [ids],
    operators: [operator],
    services: [
      {
        ...ids,
        serviceId: 'invoices',
        alias: 'Invoices',
        statusAtFirst: 'active',
        status: 'active',
      },
      {
        ...ids,
        serviceId: 'retired',
        alias: 'Retired',
        statusAtFirst: 'inactive',
        status: 'inactive',
      },
    ],
    grants: [
      {
        ...{ grantId: 'first', ...ids, allowance: 100, used: 5 },
        ...{ effectiveAt: instant(0), expiresAt: instant(20), recordedAt: instant(1) },
        ...{ successorId: 'second', servicesSuspendedAt: instant(20.1) },
      },
      {
        ...{ grantId: 'second', ...ids, allowance: 100, used: 2 },
        ...{ effectiveAt: instant(29), expiresAt: instant(600), recordedAt: instant(30) },
        ...{ successorId: undefined, servicesSuspendedAt: undefined },
      },
    ],
    renewals: [
      { renewalId: 'first', certificateId, state: 'granted' },
      { renewalId: 'second', certificateId, state: 'granted' },
      { renewalId: 'lost', certificateId, state: 'outcome_unknown' },
    ],
    facts: [
      { ...facts('first'), superseded: true },
      {
        ...facts('second'),
        grant: {
          effectiveAt: instant(29).toISOString(),
          expiresAt: instant(600).toISOString(),
          ...{ allowance: 100, used: 2 },
        },
      },
      {
        ...facts('lost'),
        renewal: { state: 'outcome_unknown', deadlineAt: instant(900).toISOString() },
      },
    ],
    audits: [
      {
        ...{ at: instant(20.1), actor: 'process:worker', certificateId },
        ...{ action: 'client_services_suspended', subject: 'access_grant:first' },
        details: { clientServices: ['Invoices'] },
      },
      {
        ...{ at: instant(35), actor: 'operator:ana', certificateId, details: {} },
        ...{ action: 'client_service_activated', subject: 'client_service:invoices' },
      },
    ],
    notices: [
      {
        ...{ operatorId: 'ana', grantId: 'second', kind: 'reminder', slot: '2026-06-01' },
        ...{ state: 'told', messageId: 'reminder@example.test' },
      },
    ],
    mails: [{ to: operator.email, subject: 'Reminder', messageId: 'reminder@example.test' }],
    auditChain: { broken: undefined, oldestUnsealedAt: undefined },
    outbox: [],
    topic: [
      { certificateId, eventId: 'event', count: 7 },
      // Sent again by a reporter that did not hear of its arrival.
      { certificateId, eventId: 'event', count: 7 },
    ],
    suspended: new Map(),
    grantedAtCa: ['first', 'second', 'lost'],
    workflows: [
      { grantId: 'first', status: 'COMPLETED', result: 'superseded', standing: 'ended' },
      { grantId: 'second', status: 'RUNNING', result: undefined, standing: 'warned' },
      { grantId: 'lost', status: 'COMPLETED', result: 'outcome_unknown', standing: 'ended' },
    ],
    lastAnswers: [{ certificateId, maySign: true, grantId: 'second', askedAt: at(61) }],
    failures: [],
  };
}
