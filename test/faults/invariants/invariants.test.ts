import { describe, expect, it } from '@jest/globals';
import type { Evidence } from '../evidence.ts';
import { allowed, at, certificateId, quietEvidence } from '../quiet-evidence.ts';
import type { DriverRecord } from '../record.ts';
import { violationsIn } from './index.ts';

const quiet = quietEvidence();
const withRecord = (changes: Partial<DriverRecord>): Partial<Evidence> => ({
  record: { ...quiet.record, ...changes },
});
const withSighting = (changes: Partial<Evidence['sighting']>): Partial<Evidence> => ({
  sighting: { ...quiet.sighting, ...changes },
});
/** The list with the one that has this value in this field changed. */
const changed = <T, K extends keyof T>(
  list: readonly T[],
  key: K,
  value: T[K],
  changes: Partial<T>,
): T[] => list.map((each) => (each[key] === value ? { ...each, ...changes } : each));

/** Each breaks one rule of the quiet storm. */
const planted: readonly [string, string, Partial<Evidence>][] = [
  [
    'nothingAllowedPastALimit',
    'a yes after the time limit',
    withRecord({ answers: [allowed({ askedAt: at(20.1), answeredAt: at(20.2), asOf: at(19) })] }),
  ],
  [
    'nothingAllowedPastALimit',
    'a yes from facts that were read after the allowance was counted',
    withSighting({ usedUpAt: new Map([['first', at(9)]]) }),
  ],
  [
    'nothingAllowedPastALimit',
    'an activation asked for after the allowance was counted',
    {
      ...withSighting({ usedUpAt: new Map([['first', at(9.8)]]) }),
      ...withRecord({ answers: [allowed({ ask: 'activation', asOf: undefined })] }),
    },
  ],
  [
    'nothingAllowedPastALimit',
    'a yes from facts older than the gate may use',
    withRecord({ answers: [allowed({ asOf: at(4) })] }),
  ],
  [
    'nothingAllowedPastALimit',
    'a yes under a grant that had a successor',
    withSighting({ supersededAt: new Map([['first', at(9)]]) }),
  ],
  [
    'nothingAllowedPastALimit',
    'a yes for a service that was not active',
    {
      ...withSighting({ notActive: new Map([['invoices', [{ from: at(9), to: at(11) }]]]) }),
      ...withRecord({ answers: [allowed({ ask: 'access_of_service', serviceId: 'invoices' })] }),
    },
  ],
  [
    'nothingAllowedPastALimit',
    'a yes without a grant',
    withRecord({ answers: [allowed({ grantId: undefined })] }),
  ],
  [
    'gateKnowsTheFactsInTheEnd',
    'a no in the end while the grant is in force',
    { lastAnswers: [{ certificateId, maySign: false, grantId: 'second', askedAt: at(61) }] },
  ],
  [
    'gateKnowsTheFactsInTheEnd',
    'an old grant named in the end',
    { lastAnswers: [{ certificateId, maySign: true, grantId: 'first', askedAt: at(61) }] },
  ],
  [
    'everyEventCountedOnce',
    'an event counted twice',
    {
      grants: changed(quiet.grants, 'grantId', 'second', { used: 9 }),
    },
  ],
  [
    'everyEventCountedOnce',
    'an event not counted',
    {
      grants: changed(quiet.grants, 'grantId', 'second', { used: 0 }),
    },
  ],
  [
    'everyEventArrived',
    'an event that Kafka had and has no more',
    withRecord({
      events: [{ certificateId, eventId: 'gone', count: 1, isAcknowledged: true }],
    }),
  ],
  [
    'everyGrantAccountedFor',
    'a grant of the CA whose renewal says that it was refused',
    { renewals: changed(quiet.renewals, 'renewalId', 'lost', { state: 'refused' }) },
  ],
  ['everyGrantAccountedFor', 'a grant that the CA never gave', { grantedAtCa: ['first', 'lost'] }],
  [
    'everyOperatorToldTheTruth',
    'an operator told granted of a renewal that timed out',
    withRecord({
      renewals: [{ certificateId, way: 'straight', renewalId: 'lost', told: 'granted' }],
    }),
  ],
  [
    'lapsedGrantsSuspended',
    'a lapse by time before the successor that suspended nothing',
    {
      grants: changed(quiet.grants, 'grantId', 'first', { servicesSuspendedAt: undefined }),
    },
  ],
  [
    'lapsedGrantsSuspended',
    'a lapse by usage that suspended nothing',
    {
      grants: changed(quiet.grants, 'grantId', 'second', { allowance: 2 }),
    },
  ],
  [
    'lapsedGrantsSuspended',
    'a suspension because of a grant that is in force',
    {
      grants: changed(quiet.grants, 'grantId', 'second', { servicesSuspendedAt: new Date(at(40)) }),
    },
  ],
  [
    'servicesChangedAsTold',
    'a suspension that left an active service out',
    {
      audits: changed(quiet.audits, 'actor', 'process:worker', { details: { clientServices: [] } }),
    },
  ],
  [
    'servicesChangedAsTold',
    'a service that is suspended without a word',
    { services: changed(quiet.services, 'serviceId', 'invoices', { status: 'suspended' }) },
  ],
  [
    'activatedByHandOnly',
    'an activation by a process',
    { audits: changed(quiet.audits, 'actor', 'operator:ana', { actor: 'process:worker' }) },
  ],
  ['activatedByHandOnly', 'an activation nobody asked for', withRecord({ activations: [] })],
  [
    'activationsHappened',
    'an operator told active of a service that never was',
    withRecord({
      activations: [
        ...quiet.record.activations,
        { certificateId, serviceId: 'retired', told: 'active' },
      ],
    }),
  ],
  ['everyOperatorTold', 'a reminder that never arrived', { mails: [] }],
  [
    'everyOperatorTold',
    'an operator who was not told',
    {
      operators: [
        ...quiet.operators,
        { operatorId: 'rui', accountId: 'account', email: 'rui@example.test' },
      ],
    },
  ],
  [
    'nobodyToldTwice',
    'the same told by two messages',
    {
      mails: [...quiet.mails, { ...quiet.mails[0]!, messageId: 'again@example.test' }],
    },
  ],
  [
    'nobodyToldTwice',
    'a message that went to somebody else',
    {
      mails: [...quiet.mails, { ...quiet.mails[0]!, to: 'rui@example.test' }],
    },
  ],
  [
    'nothingStuck',
    'a renewal that is still open',
    { renewals: changed(quiet.renewals, 'renewalId', 'lost', { state: 'authorizing' }) },
  ],
  [
    'nothingStuck',
    'an outbox row that is not delivered',
    { outbox: [{ subject: 'second', name: 'granted', state: 'waiting' }] },
  ],
  [
    'nothingStuck',
    'an outbox row that was set aside',
    { outbox: [{ subject: 'second', name: 'granted', state: 'set_aside' }] },
  ],
  [
    'nothingStuck',
    'a workflow that goes on although its grant is over',
    { workflows: changed(quiet.workflows, 'grantId', 'first', { status: 'RUNNING' }) },
  ],
  [
    'nothingStuck',
    'a workflow that is gone although its grant is in force',
    { workflows: changed(quiet.workflows, 'grantId', 'second', { status: undefined }) },
  ],
  [
    'nothingStuck',
    'a workflow that shows another standing than the facts',
    { workflows: changed(quiet.workflows, 'grantId', 'second', { standing: 'requested' }) },
  ],
  [
    'nothingStuck',
    'a workflow that owes something',
    {
      facts: changed(quiet.facts, 'grantId', 'second', {
        reminderAt: new Date(at(50)).toISOString(),
      }),
    },
  ],
  [
    'auditChain',
    'an audit event that was changed after it was sealed',
    {
      auditChain: {
        broken: { kind: 'event_changed', position: 7, eventId: 8 },
        oldestUnsealedAt: undefined,
      },
    },
  ],
  [
    'auditChain',
    'an audit event that is not sealed',
    { auditChain: { broken: undefined, oldestUnsealedAt: new Date(at(50)) } },
  ],
  ['noProcessFailed', 'a process that ended of its own fault', { failures: ['worker failed'] }],
];

describe('The invariants', () => {
  it('hold after a storm in which nothing went wrong', () => {
    expect(violationsIn(quiet)).toEqual([]);
  });

  it.each(planted)('%s finds %s', (invariant, _, changes) => {
    const found = violationsIn({ ...quiet, ...changes }).map((each) => each.invariant);
    expect(found).toContain(invariant);
  });

  it('let a yes pass up to the time limit and from facts that are just young enough', () => {
    const answers = [
      allowed({ askedAt: at(20) - 1, answeredAt: at(20.4), asOf: at(19.9) }),
      allowed({ asOf: at(5) }),
    ];
    expect(violationsIn({ ...quiet, ...withRecord({ answers }) })).toEqual([]);
  });

  it('take the very end for either, where the count reached the allowance about when the successor was stored', () => {
    const grants = changed(quiet.grants, 'grantId', 'first', {
      ...{ allowance: 5, expiresAt: new Date(at(100)) },
    });
    const seenBefore = withSighting({ usedUpAt: new Map([['first', at(29)]]) });
    const suspended = { ...quiet, grants, ...withRecord({ answers: [] }) };
    const spared = {
      ...suspended,
      grants: changed(grants, 'grantId', 'first', { servicesSuspendedAt: undefined }),
    };
    const about = ({ invariant }: { invariant: string }) => invariant === 'lapsedGrantsSuspended';
    expect(violationsIn(suspended).filter(about)).toEqual([]);
    expect(violationsIn(spared).filter(about)).toEqual([]);
    expect(violationsIn({ ...spared, ...seenBefore }).filter(about)).toHaveLength(1);
  });
});
