import pg from 'pg';
import { isUnavailable } from './availability.ts';

const INT8 = 20;
const DATE = 1082;

// In one place: counts stay far below 2^53 (DESIGN 7), and a `date` is a calendar date, not an instant of the server's zone.
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`count above 2^53: ${text}`);
  return value;
});
types.setTypeParser(DATE, (text) => text);

export type Database = pg.Pool;

/** So many may wait for a connection, each for `connectionTimeoutMillis`; whoever comes beyond them is told at once instead of waiting in vain. */
const mostWaiting = 100;

type OnConnected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (broken?: unknown) => void,
) => void;

class BoundedPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(onConnected: OnConnected): void;
  override connect(onConnected?: OnConnected): Promise<pg.PoolClient> | undefined {
    if (this.waitingCount < mostWaiting) {
      if (onConnected === undefined) return super.connect();
      super.connect(onConnected);
      return undefined;
    }
    const full = new Error('Too many wait for a connection to PostgreSQL');
    if (onConnected === undefined) return Promise.reject(full);
    onConnected(full, undefined, () => undefined);
    return undefined;
  }
}

/** A pool, or the one connection of a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

export type DatabaseOptions = {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly maxConnections?: number;
};

/**
 * Every statement has a deadline, so that a frozen server or a lock held by a paused process is an error and not a hang; every wait for a connection has
 * one too, and there is a limit to how many wait.
 */
export function openDatabase({
  url,
  applicationName,
  maxConnections = 10,
}: DatabaseOptions): Database {
  const pool = new BoundedPool({
    connectionString: url,
    application_name: applicationName,
    max: maxConnections,
    types,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    lock_timeout: 8_000,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // A connection may break while idle, or in a transaction between two statements: whoever uses it next is told. Without listeners Node would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Runs `work` in one transaction; whatever it throws rolls back and is thrown on. */
export async function inTransaction<T>(
  database: Database,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  const client = await database.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    if (isOfNoUse(error)) {
      // A connection that did not answer in time would not answer a rollback either; the server rolls back what it does not hear of any more.
      broken = error as Error;
    } else {
      await client.query('rollback').catch((rollbackError: unknown) => {
        broken = rollbackError as Error;
      });
    }
    throw error;
  } finally {
    client.release(broken);
  }
}

/** True for what the driver throws when the connection is gone or silent; what the server says itself comes over a connection that works. */
const isOfNoUse = (error: unknown): boolean =>
  isUnavailable(error) && !(error instanceof pg.DatabaseError);

/** The name of the constraint that a statement broke, or undefined for other errors. */
export function brokenConstraint(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined;
  const constraintViolation = error.code?.startsWith('23') ?? false;
  return constraintViolation ? error.constraint : undefined;
}
