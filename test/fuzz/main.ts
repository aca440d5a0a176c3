/**
 * `npm run fuzz -- --minutes 10 [--seed 1]`: asks every call of all services, with a fresh seed each round, until the time is over; ends with 1 at the first
 * finding, which names its seed.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { partsVariable } from '../support/parts.ts';
import { startTestRun } from '../support/run.ts';
import { startSystem } from '../support/system.ts';
import { fuzzAll } from './all.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
});
const endsAt = performance.now() + Number(values.minutes) * 60_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const run = await startTestRun(say);
process.env[partsVariable] = JSON.stringify(run.parts);
let hasFindings = false;
try {
  const system = await startSystem({ name: 'fuzz' });
  try {
    do {
      const seed = Number(values.seed ?? randomInt(2 ** 31));
      const folder = join(run.parts.directory, `fuzz-${seed}`);
      const reports = await fuzzAll({
        ...{ guardian: run.guardian, system, folder, seed, mostExamples: 40 },
      });
      const counts = Object.entries(reports).map(
        ([service, { requestCount }]) => `${service} ${requestCount}`,
      );
      say(`seed ${seed}: ${counts.join(', ')} requests`);
      for (const { findings } of Object.values(reports)) {
        if (findings !== '') hasFindings = true;
        if (findings !== '') say(findings);
      }
    } while (!hasFindings && values.seed === undefined && performance.now() < endsAt);
  } finally {
    await system.stop();
  }
} finally {
  await run.guardian.close();
}
say(hasFindings ? 'Something was found.' : 'Nothing was found.');
process.exit(hasFindings ? 1 : 0);
