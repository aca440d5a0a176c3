import { randomBytes } from 'node:crypto';
import { createDatabase, dropDatabase } from '../../infra/postgres/development-server.ts';
import { openDatabase, type Database } from '../../infra/postgres/pool.ts';
import { urlAs, type DatabaseRole } from '../../infra/postgres/roles.ts';
import { testParts } from './parts.ts';

export type TestDatabase = {
  /** As superuser: for fixtures, and for looking at what a service has done. */
  readonly url: string;
  /** What a service is started with. */
  urlAs(role: DatabaseRole): string;
  /** What a service works with; the same pool for each call. */
  as(role: DatabaseRole): Database;
  /** Ends connections that are still open. */
  drop(): Promise<void>;
};

/** A migrated, empty database of the caller's own, on the run's PostgreSQL. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { postgresUrl, templateDatabase } = testParts();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(postgresUrl, name, templateDatabase);
  const pools = new Map<DatabaseRole, Database>();
  return {
    url,
    urlAs: (role) => databaseUrlAs(url, role),
    as(role) {
      const pool =
        pools.get(role) ??
        openDatabase({ url: databaseUrlAs(url, role), applicationName: `${role} test` });
      pools.set(role, pool);
      return pool;
    },
    async drop() {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
      await dropDatabase(postgresUrl, name);
    },
  };
}

/** A database on the run's PostgreSQL as a role sees it. */
export const databaseUrlAs = (url: string, role: DatabaseRole): string =>
  urlAs(url, role, testParts().rolePasswords[role]);
