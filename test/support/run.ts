import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGuardian, type Guardian } from '../../infra/development/guardian.ts';
import { isAlive } from '../../infra/development/lock.mjs';
import { freePort } from '../../infra/development/ports.ts';
import { installKafka, startKafka } from '../../infra/kafka/development-broker.ts';
import {
  createDatabase,
  removePostgresData,
  startPostgres,
} from '../../infra/postgres/development-server.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { setUpRoles } from '../../infra/postgres/role-setup.ts';
import { newRolePasswords, urlAs } from '../../infra/postgres/roles.ts';
import { installTemporal, startTemporal } from '../../infra/temporal/development-server.ts';
import { installChromium } from './chromium.ts';
import type { TestParts } from './parts.ts';

const localDir = fileURLToPath(new URL('../../.local/', import.meta.url));
const runsDir = join(localDir, 'test-runs');
const templateDatabase = 'test_template';
const temporalNamespace = 'test';

export type TestRun = { readonly parts: TestParts; readonly guardian: Guardian };

/** Starts the parts of one test run beside each other, on ports and in a folder of its own. `say` is told each part and its time. */
export async function startTestRun(say: (line: string) => void): Promise<TestRun> {
  await removeDeadRuns();
  const directory = join(runsDir, String(process.pid));
  await mkdir(directory, { recursive: true });
  const guardian = createGuardian();
  guardian.removeAtEnd(directory);
  const rolePasswords = newRolePasswords();
  const logFile = (part: string): string => join(directory, `${part}.log`);
  const timed = async <T>(part: string, start: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const started = await start();
    say(`${part} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    return started;
  };

  try {
    const [postgresUrl, temporal, kafka, chromium] = await Promise.all([
      timed('PostgreSQL', async () => {
        const { url } = await startPostgres({
          guardian,
          dataDir: join(directory, 'postgres'),
          port: await freePort(),
          logFile: logFile('postgres'),
          temporary: true,
          onNotice: say,
        });
        const templateUrl = await createDatabase(url, templateDatabase);
        await setUpRoles(templateUrl, rolePasswords);
        await migrate(urlAs(templateUrl, 'migrations', rolePasswords.migrations));
        return url;
      }),
      timed('Temporal', async () => {
        const { cli, testServer } = await installTemporal(guardian, localDir, () => {
          say('fetching Temporal ...');
        });
        const { address } = await startTemporal({
          guardian,
          cli,
          port: await freePort(),
          namespace: temporalNamespace,
          retentionDays: 1,
          logFile: logFile('temporal'),
        });
        return { address, testServer };
      }),
      timed('Kafka', async () => {
        const jars = await installKafka(guardian, localDir, () => {
          say('fetching Kafka ...');
        });
        const detours = [
          { port: await freePort(), advertisedPort: await freePort() },
          { port: await freePort(), advertisedPort: await freePort() },
        ];
        const { brokers } = await startKafka({
          guardian,
          jars,
          dataDir: join(directory, 'kafka'),
          port: await freePort(),
          detours,
          logFile: logFile('kafka'),
        });
        return { brokers, detours };
      }),
      timed('Chromium', () =>
        installChromium(guardian, localDir, () => {
          say('unpacking Chromium ...');
        }),
      ),
    ]);
    return {
      guardian,
      parts: {
        postgresUrl,
        rolePasswords,
        templateDatabase,
        temporalAddress: temporal.address,
        temporalNamespace,
        kafkaBrokers: kafka.brokers,
        kafkaDetours: kafka.detours,
        temporalTestServerPath: temporal.testServer,
        chromium,
        directory,
      },
    };
  } catch (error) {
    await guardian.close();
    throw error;
  }
}

/** What a run left behind whose guardian was killed as well. */
async function removeDeadRuns(): Promise<void> {
  const runs = await readdir(runsDir).catch(() => []);
  for (const run of runs.filter((name) => /^\d+$/.test(name) && !isAlive(Number(name)))) {
    await removePostgresData(join(runsDir, run, 'postgres'));
    await rm(join(runsDir, run), { recursive: true, force: true });
  }
}
