import pg from 'pg';
import { handOver } from './hand-over.ts';
import {
  createStatement,
  databaseRoles,
  missingRoles,
  requirePlainRoles,
  roleName,
  type RolePasswords,
} from './roles.ts';
import { scramVerifier } from './scram-verifier.ts';

export type RolesSetUp = {
  readonly created: readonly string[];
  readonly passwordsSet: readonly string[];
  /** Tables and functions that now belong to the migrations' role. */
  readonly handedOver: readonly string[];
};

/**
 * Creates the roles that are missing, gives those named here their passwords, and hands the database and what is in it to the migrations' role. Run by a
 * superuser, or by whoever owns all of it and may create roles. Safe to repeat, also at once for several databases of a server, whose roles they share.
 * All or nothing; throws a RolesFault for a database that holds other things too, or roles that may too much.
 */
export async function setUpRoles(
  databaseUrl: string,
  passwords: RolePasswords,
): Promise<RolesSetUp> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'roles' });
  // A connection that breaks between two statements is told by the next; without a listener Node would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (let triesLeft = 5; ; triesLeft -= 1) {
      try {
        await client.query('begin');
        const created = await createMissing(client);
        await requirePlainRoles(client);
        const passwordsSet = await setPasswords(client, passwords);
        const handedOver = await handOver(client);
        await client.query('commit');
        return { created, passwordsSet, handedOver };
      } catch (error) {
        // Of a connection that broke, the first error tells more.
        await client.query('rollback').catch(() => undefined);
        if (triesLeft === 0 || !isOfAnotherRun(error)) throw error;
      }
    }
  } finally {
    await client.end();
  }
}

async function createMissing(client: pg.Client): Promise<string[]> {
  const missing = await missingRoles(client);
  for (const name of missing) await client.query(createStatement(name));
  return missing;
}

/** Two databases of a server that are set up at once create and alter the same roles. */
function isOfAnotherRun(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const [duplicateObject, uniqueViolation] = ['42710', '23505'];
  return (
    error.code === duplicateObject ||
    error.code === uniqueViolation ||
    error.message === 'tuple concurrently updated'
  );
}

async function setPasswords(client: pg.Client, passwords: RolePasswords): Promise<string[]> {
  const set: string[] = [];
  for (const role of databaseRoles) {
    const password = passwords[role];
    if (password === undefined) continue;
    // Never the password itself: the server may log statements.
    const verifier = pg.escapeLiteral(scramVerifier(password));
    await client.query(`alter role ${roleName(role)} password ${verifier}`);
    set.push(roleName(role));
  }
  return set;
}
