/** @jest-environment <rootDir>/test/support/failure-environment.ts */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createGuardian } from '../../infra/development/guardian.ts';
import { testParts } from '../support/parts.ts';
import { startSystem, type System } from '../support/system.ts';
import { fuzzAll } from './all.ts';
import type { FuzzReport } from './fuzz.ts';

const guardian = createGuardian();
let system: System;
let reports: Awaited<ReturnType<typeof fuzzAll>>;

beforeAll(async () => {
  system = await startSystem({ name: 'fuzz' });
  const folder = join(testParts().directory, 'fuzz');
  reports = await fuzzAll({ guardian, system, folder, seed: 20_261_124, mostExamples: 6 });
}, 600_000);

afterAll(async () => {
  await guardian.close();
  await system.stop();
}, 60_000);

/**
 * For whoever was sent by the CA; not within half a minute after the last one; by whoever knows the password that the fuzzer signs in with; of a session, when all
 * were ended before; of a link that is good once, when it was used before.
 */
const mayNeverBeAccepted = [
  'GET /ca/callback',
  'POST /api/accounts/{id}/operators/{operatorId}/invitation',
  'PUT /api/me/password',
  'DELETE /api/sessions/{id}',
  'POST /api/password-resets/lookup',
  'POST /api/password-resets/acceptance',
];

describe.each([
  ['backoffice', 1_000],
  ['gate', 100],
  ['usage', 10],
  ['worker', 10],
] as const)('the OpenAPI document of %s is true', (service, leastRequests) => {
  const report = (): FuzzReport => reports[service];

  it('whatever fits it, or does not: no answer that it does not tell of, and no fault of ours', () => {
    expect(report().findings).toBe('');
  });

  it('as far as that can be said by requests that were carried out, of every call', () => {
    expect(report().requestCount).toBeGreaterThanOrEqual(leastRequests);
    expect(report().neverAccepted.filter((call) => !mayNeverBeAccepted.includes(call))).toEqual([]);
  });
});

it('no service took what a fuzzer sends for a fault of its own', async () => {
  const faults = Object.entries(await system.readLogs()).flatMap(([file, log]) =>
    log
      .split('\n')
      .filter((line) => /"level":"(error|fatal)"/.test(line))
      .map((line) => `${file}: ${line}`),
  );
  expect(faults).toEqual([]);
});
