import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Guardian } from '../../infra/development/guardian.ts';
import type { System } from '../support/system.ts';
import { fuzz, type FuzzReport } from './fuzz.ts';
import { installSchemathesis } from './install.ts';
import { enterFuzzWorld } from './world.ts';

const localDir = fileURLToPath(new URL('../../.local/', import.meta.url));

export type Round = {
  readonly guardian: Guardian;
  readonly system: System;
  readonly folder: string;
  readonly seed: number;
  readonly mostExamples: number;
};

/** One round over all services, in an account of its own. */
export async function fuzzAll(
  round: Round,
): Promise<Readonly<Record<'backoffice' | 'gate' | 'usage' | 'worker', FuzzReport>>> {
  const { guardian, system } = round;
  const installed = await installSchemathesis(guardian, localDir);
  const world = await enterFuzzWorld(system);
  const of = (service: 'backoffice' | 'gate' | 'usage' | 'worker') => ({
    ...round,
    ...{ installed, world, url: system.urls[service], folder: join(round.folder, service) },
  });
  // What machines ask of usage and worker takes nothing that could be drawn at random.
  const rules = { phases: ['coverage'] } as const;
  const others = async () => ({
    gate: await fuzz({ ...of('gate'), authorization: `Bearer ${world.apiKey}` }),
    usage: await fuzz({ ...of('usage'), ...rules }),
    worker: await fuzz({ ...of('worker'), ...rules }),
  });
  // How often a door may be tried is not what the document tells of, and the fuzzer, which signs itself out again and again, would soon stand before it.
  const opening = setInterval(() => {
    void system.database.query('delete from door_budgets').catch(() => undefined);
  }, 100);
  try {
    const [backoffice, rest] = await Promise.all([fuzz(of('backoffice')), others()]);
    return { backoffice, ...rest };
  } finally {
    clearInterval(opening);
  }
}
