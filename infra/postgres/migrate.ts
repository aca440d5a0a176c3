import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { applyRights } from './apply-rights.ts';
import { requireRoles } from './roles.ts';

const folder = new URL('./migrations/', import.meta.url);
/** Any number, the same in every process: two that start at once migrate one after the other. */
const migrationLock = 7_203_001;

/**
 * Brings the schema up to date: numbered files, forward only, each in a transaction of its own and recorded by name; then gives every role its rights,
 * unless a newer release has been here, whose rights this one does not know. Safe to call from several processes at once. Run as the owner of the database
 * and all that is in it. Returns the names of the migrations it applied; throws a RolesFault, with nothing done, when the roles are not as they should be.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'migrate' });
  // A connection that breaks between two statements is told by the next; without a listener Node would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await requireRoles(client);
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await client.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string }>('select m.name from migrations as m');
    const applied = new Set(rows.map(({ name }) => name));
    const files = (await readdir(folder)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort();
    const missing = files.filter((name) => !applied.has(name));
    for (const name of missing) {
      await client.query('begin');
      await client.query(await readFile(new URL(name, folder), 'utf8'));
      await client.query('insert into migrations (name) values ($1)', [name]);
      await client.query('commit');
    }
    if ([...applied].every((name) => files.includes(name))) {
      await client.query('begin');
      await applyRights(client);
      await client.query('commit');
    }
    return missing;
  } finally {
    // Ends the lock, and rolls back what failed.
    await client.end();
  }
}
