import { Histogram, type Registry } from 'prom-client';
import type { CaCallClass, OnCaCall } from '../../infra/ca/csc-client.ts';
import type { Dependencies } from './health.ts';
import { createLastUse } from './last-use.ts';

/** Classes that say that the CA did not answer, or not in a way that says anything; every other one is an answer of a CA that works. */
const unanswered: ReadonlySet<CaCallClass> = new Set<CaCallClass>([
  'timeout',
  'unreachable',
  'transient_not_processed',
  'outcome_unknown',
  'protocol_error',
]);

/** Calls of this process to CAs, by call and class, and what the last one came to. */
export function createCaFigures(registry: Registry): {
  readonly onCall: OnCaCall;
  readonly dependency: Dependencies[string];
} {
  const duration = new Histogram({
    name: 'ca_call_duration_seconds',
    help: 'Time of a call to a CA with its repetitions, by call and by what it came to: ok, timeout or the class of the error.',
    labelNames: ['call', 'class'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers: [registry],
  });
  const { used, dependency } = createLastUse();
  return {
    onCall(call, outcome, seconds) {
      duration.observe({ call, class: outcome }, seconds);
      used(!unanswered.has(outcome));
    },
    dependency,
  };
}
