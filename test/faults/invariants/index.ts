import type { Evidence, Violation } from '../evidence.ts';
import { auditChain } from './audit-chain.ts';
import { gateKnowsTheFactsInTheEnd, nothingAllowedPastALimit } from './gate.ts';
import { everyOperatorTold, nobodyToldTwice } from './mails.ts';
import { everyGrantAccountedFor, everyOperatorToldTheTruth, nothingStuck } from './renewals.ts';
import {
  activatedByHandOnly,
  activationsHappened,
  lapsedGrantsSuspended,
  servicesChangedAsTold,
} from './services.ts';
import { everyEventArrived, everyEventCountedOnce } from './usage.ts';

/** A sentence for each breach. */
type Invariant = (evidence: Evidence) => readonly string[];

const noProcessFailed: Invariant = ({ failures }) => failures;

/** What holds after every storm, whatever was done to the system. */
export const invariants = {
  nothingAllowedPastALimit,
  gateKnowsTheFactsInTheEnd,
  everyEventArrived,
  everyEventCountedOnce,
  everyGrantAccountedFor,
  everyOperatorToldTheTruth,
  lapsedGrantsSuspended,
  servicesChangedAsTold,
  activatedByHandOnly,
  activationsHappened,
  everyOperatorTold,
  nobodyToldTwice,
  nothingStuck,
  noProcessFailed,
  auditChain,
} satisfies Record<string, Invariant>;

export function violationsIn(evidence: Evidence): Violation[] {
  return Object.entries(invariants).flatMap(([invariant, check]) =>
    check(evidence).map((what) => ({ invariant, what })),
  );
}
