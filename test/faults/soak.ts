import { randomInt } from 'node:crypto';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { partsVariable } from '../support/parts.ts';
import { startTestRun } from '../support/run.ts';
import { startInstallation, type Installation } from './installation.ts';
import { presentOutcome, presentPlan } from './report.ts';
import { runStorm } from './storm.ts';

const keptLogs = fileURLToPath(new URL('../../.local/soak/', import.meta.url));
/** A new installation now and then: what a storm does to one shall not be hidden by, nor hide in, hundreds before it. */
const stormsOfAnInstallation = 20;

const usage = `npm run soak -- --minutes <n>            fresh seeds until the time is over
npm run soak -- --seed <seed> [--times n] the plan of one seed`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    times: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
const seed = values.seed === undefined ? undefined : Number(values.seed);
const times = Number(values.times);
if ((minutes === undefined) === (seed === undefined) || ![minutes ?? 0, seed ?? 0, times].every(Number.isFinite)) {
  process.stderr.write(`${usage}\n`);
  process.exit(2);
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    say(`${signal}: the storm under way is the last`);
    stopping.abort();
  });
}

const endsAt = performance.now() + (minutes ?? 0) * 60_000;
const isOver = (ran: number): boolean =>
  stopping.signal.aborted || (seed === undefined ? performance.now() >= endsAt : ran >= times);

const run = await startTestRun((line) => {
  say(`parts: ${line}`);
});
process.env[partsVariable] = JSON.stringify(run.parts);
let installation: Installation | undefined;
const unclean: number[] = [];
const injected = new Map<string, number>();
let ran = 0;
try {
  while (!isOver(ran)) {
    if (ran % stormsOfAnInstallation === 0) {
      await installation?.stop();
      installation = await startInstallation('soak');
    }
    const drawn = seed ?? randomInt(2 ** 31);
    say(`seed ${drawn}`);
    for (const line of presentPlan(drawn)) say(line);
    const outcome = await runStorm(installation as Installation, drawn, (line) => {
      if (values.verbose) say(`    ${line}`);
    });
    ran += 1;
    for (const line of presentOutcome(outcome)) say(line);
    for (const line of outcome.faults) {
      const kind = /^\S+ s (\w+)/.exec(line)?.[1] ?? line;
      injected.set(kind, (injected.get(kind) ?? 0) + 1);
    }
    if (outcome.violations.length > 0) {
      unclean.push(drawn);
      const folder = join(keptLogs, String(drawn));
      await mkdir(folder, { recursive: true });
      await cp(run.parts.directory, folder, {
        recursive: true,
        filter: (path) => !/\/(postgres|kafka)$/.test(path),
      });
      say(`  the logs are kept in ${folder}`);
    }
  }
} finally {
  await installation?.stop();
  await run.guardian.close();
}
const counts = [...injected].sort().map(([kind, count]) => `${count} ${kind}`);
say(`${ran} seeds run, ${ran - unclean.length} clean; injected: ${counts.join(', ')}`);
if (unclean.length > 0) say(`with violations: ${unclean.join(', ')}`);
process.exitCode = unclean.length > 0 ? 1 : 0;
