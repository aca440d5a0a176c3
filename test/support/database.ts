import { randomBytes } from 'node:crypto';
import { createDatabase, dropDatabase } from '../../infra/postgres/development-server.ts';
import { testParts } from './parts.ts';

export type TestDatabase = {
  readonly url: string;
  /** Ends connections that are still open. */
  drop(): Promise<void>;
};

/** A migrated, empty database of the caller's own, on the run's PostgreSQL. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { postgresUrl, templateDatabase } = testParts();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const url = await createDatabase(postgresUrl, name, templateDatabase);
  return { url, drop: () => dropDatabase(postgresUrl, name) };
}
