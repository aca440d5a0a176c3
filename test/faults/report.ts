import { describeFault, planOf } from './plan.ts';
import type { StormOutcome } from './storm.ts';

const countBy = (words: readonly string[]): string =>
  [...new Set(words)]
    .sort()
    .map((word) => `${words.filter((each) => each === word).length} ${word}`)
    .join(', ');

/** What a seed brings, before it runs. */
export function presentPlan(seed: number): string[] {
  return planOf(seed).faults.map((fault) => `  ${describeFault(fault)}`);
}

/** What was driven, done and found, a few lines. */
export function presentOutcome(outcome: StormOutcome): string[] {
  const { seed, violations, evidence, seconds, settleSeconds, faults } = outcome;
  const { record, grants, topic, mails } = evidence;
  const yes = record.answers.filter(({ maySign }) => maySign).length;
  const unanswered = [...record.unanswered].map(([why, count]) => `${count} ${why}`);
  return [
    `seed ${seed}: ${violations.length === 0 ? 'clean' : `${violations.length} VIOLATIONS`} in ${seconds.toFixed(1)} s (settled in ${settleSeconds.toFixed(1)} s), ${faults.length} faults`,
    `  renewals: ${countBy(record.renewals.map(({ told }) => told))}; ${grants.length} grants, ${grants.filter(({ servicesSuspendedAt }) => servicesSuspendedAt !== undefined).length} lapsed`,
    `  gate: ${yes} yes, ${record.answers.length - yes} no, unanswered: ${unanswered.join(', ') || 'none'}; ${topic.length} events, ${mails.length} mails; activations: ${countBy(record.activations.map(({ told }) => told)) || 'none'}`,
    ...violations.map(({ invariant, what }) => `  VIOLATION ${invariant}: ${what}`),
  ];
}
