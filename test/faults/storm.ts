import { collectEvidence } from './collect.ts';
import { drive, enterPlanned } from './driver.ts';
import type { Evidence, Violation } from './evidence.ts';
import { injectFaults } from './injector.ts';
import type { Installation } from './installation.ts';
import { violationsIn } from './invariants/index.ts';
import { planOf } from './plan.ts';
import { heal, settle } from './settle.ts';
import { watchFacts } from './sightings.ts';

export type StormOutcome = {
  readonly seed: number;
  /** A line for each fault that was done. */
  readonly faults: readonly string[];
  readonly violations: readonly Violation[];
  readonly evidence: Evidence;
  readonly seconds: number;
  /** Of these, how long it took until nothing was outstanding any more. */
  readonly settleSeconds: number;
};

/** One seed: certificates live through its faults, everything is healed and let settle, and the invariants are checked. `say` is told what is waited for. */
export async function runStorm(
  installation: Installation,
  seed: number,
  say: (line: string) => void = () => undefined,
): Promise<StormOutcome> {
  const startedAt = performance.now();
  const plan = planOf(seed);
  await installation.system.mailbox.clear();
  const driven = await enterPlanned(installation, plan);
  const certificateIds = driven.map(({ certificate }) => certificate.id);
  const watch = watchFacts(installation.system.database, certificateIds);
  try {
    const [record, faults] = await Promise.all([
      drive(installation, plan, driven, installation.producer),
      injectFaults(installation, plan.faults),
    ]);
    await heal(installation);
    const healedAt = performance.now();
    const outstanding = await settle(installation, certificateIds, say);
    const settleSeconds = (performance.now() - healedAt) / 1000;
    await watch.stop();
    const evidence = await collectEvidence(installation, driven, { record, sighting: watch });
    const violations = [
      ...outstanding.map((what) => ({ invariant: 'settles', what })),
      ...violationsIn(evidence),
    ];
    const seconds = (performance.now() - startedAt) / 1000;
    return { seed, faults, violations, evidence, seconds, settleSeconds };
  } finally {
    await watch.stop();
  }
}
