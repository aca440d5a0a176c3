import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { GuardedProcess, Guardian } from '../../infra/development/guardian.ts';
import { ensureTopics, productTopics } from '../../infra/kafka/topics.ts';
import { installKafka, startKafka } from '../../infra/kafka/development-broker.ts';
import { createDatabase, startPostgres } from '../../infra/postgres/development-server.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { setUpRoles } from '../../infra/postgres/role-setup.ts';
import { urlAs, type DatabaseRole } from '../../infra/postgres/roles.ts';
import { systemCodeOf } from '../shared/log.ts';
import type { ConfigOf } from '../shared/config.ts';
import {
  installTemporal,
  startTemporal,
  temporalOnPath,
} from '../../infra/temporal/development-server.ts';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import type { stackVariables } from './config.ts';
import type { Folders } from './folders.ts';
import type { StackKeys } from './keys.ts';
import type { Progress } from './progress.ts';
import { supervise } from './supervise.ts';

export type StackConfig = ConfigOf<typeof stackVariables>;

export type StackContext = {
  readonly config: StackConfig;
  readonly folders: Folders;
  readonly guardian: Guardian;
  readonly progress: Progress;
  readonly ending: AbortSignal;
  /** Our own processes by name, as they run now: they end before the parts that they use. */
  readonly services: Map<string, GuardedProcess>;
};

export const topicNames = {
  signatures: 'signatures',
  rejects: 'signatures.dlq',
  accessChanges: 'certificate-access',
};

const databaseName = 'certificate_access';
const retentionDays = 30;

export const temporalAddressOf = (config: StackConfig): string =>
  config.TEMPORAL_ADDRESS ?? `127.0.0.1:${config.TEMPORAL_PORT}`;

export const kafkaBrokersOf = (config: StackConfig): readonly string[] =>
  config.KAFKA_BROKERS ?? [`127.0.0.1:${config.KAFKA_PORT}`];

/** How each role reaches the database. */
export type DatabaseUrls = (role: DatabaseRole) => string;

/** PostgreSQL with its roles and an up-to-date schema. */
export async function providePostgres(
  context: StackContext,
  rolePasswords: StackKeys['rolePasswords'],
): Promise<DatabaseUrls> {
  const { config, folders, guardian, progress, ending } = context;
  let url = config.DATABASE_URL;
  if (url === undefined) {
    const start = () =>
      startPostgres({
        guardian,
        dataDir: join(folders.data, 'postgres'),
        port: config.POSTGRES_PORT,
        logFile: join(folders.logs, 'postgres.log'),
        onNotice: progress.say,
      });
    const server = await progress.step('Starting PostgreSQL', () =>
      supervise({ name: 'PostgreSQL', start, say: progress.say, ending }),
    );
    url = await createDatabase(server.url, databaseName).catch((error: unknown) => {
      const duplicateDatabase = '42P04';
      if (systemCodeOf(error) !== duplicateDatabase) throw error;
      const existing = new URL(server.url);
      existing.pathname = `/${databaseName}`;
      return existing.href;
    });
  }
  const urls: DatabaseUrls = (role) => urlAs(url, role, rolePasswords[role]);
  await progress.step('Migrating the database', async () => {
    await setUpRoles(url, rolePasswords);
    await migrate(urls('migrations'));
  });
  return urls;
}

/** Temporal with our search attributes. */
export async function provideTemporal(context: StackContext): Promise<void> {
  const { config, folders, guardian, progress, ending } = context;
  if (config.TEMPORAL_ADDRESS === undefined) {
    const cli = temporalOnPath()
      ? 'temporal'
      : (
          await installTemporal(guardian, folders.tools, () => {
            progress.say('Fetching Temporal (once) ...');
          })
        ).cli;
    const start = () =>
      startTemporal({
        guardian,
        cli,
        port: config.TEMPORAL_PORT,
        uiPort: config.TEMPORAL_UI_PORT,
        databaseFile: join(folders.data, 'temporal.db'),
        namespace: config.TEMPORAL_NAMESPACE,
        retentionDays,
        logFile: join(folders.logs, 'temporal.log'),
      });
    await progress.step('Starting Temporal', () =>
      supervise({ name: 'Temporal', start, say: progress.say, ending }),
    );
  }
  const namespace = config.TEMPORAL_NAMESPACE;
  const address = temporalAddressOf(config);
  await progress.step('Registering search attributes', async () => {
    const connection = await Connection.connect({ address });
    try {
      await ensureSearchAttributes(connection, namespace);
    } finally {
      await connection.close();
    }
  });
}

/** Kafka with our topics. */
export async function provideKafka(context: StackContext): Promise<void> {
  const { config, folders, guardian, progress, ending } = context;
  if (config.KAFKA_BROKERS === undefined) {
    const jars = await installKafka(guardian, folders.tools, () => {
      progress.say('Fetching Kafka (once) ...');
    });
    const start = () =>
      startKafka({
        guardian,
        jars,
        dataDir: join(folders.data, 'kafka'),
        port: config.KAFKA_PORT,
        logFile: join(folders.logs, 'kafka.log'),
      });
    await progress.step('Starting Kafka', () =>
      supervise({ name: 'Kafka', start, say: progress.say, ending }),
    );
  }
  await progress.step('Creating topics', () =>
    ensureTopics(kafkaBrokersOf(config), productTopics(topicNames)),
  );
}
