/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startInstallation, type Installation } from './installation.ts';
import { presentOutcome, presentPlan } from './report.ts';
import { runStorm } from './storm.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation('storms');
}, 90_000);

afterAll(async () => {
  await installation.stop();
}, 60_000);

// Seeds whose faults differ; `npm run soak` draws fresh ones.
describe('After a storm of faults every invariant holds', () => {
  it.each([5, 18, 24])(
    'seed %s',
    async (seed) => {
      const { violations, ...outcome } = await runStorm(installation, seed);
      if (violations.length > 0) {
        const told = [...presentPlan(seed), ...presentOutcome({ violations, ...outcome })];
        process.stderr.write(`${told.join('\n')}\n`);
      }
      expect(violations).toEqual([]);
      // Something was driven, else nothing was shown.
      expect(outcome.evidence.grants.length).toBeGreaterThan(0);
    },
    120_000,
  );
});
