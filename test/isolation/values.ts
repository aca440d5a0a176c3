import type { Database } from '../../infra/postgres/pool.ts';

/** Something of somebody's, as it is stored: an id of whatever kind, or a text that tells who they are. */
export type StoredValue = { readonly kind: string; readonly value: string };

/** Texts that people know each other's things by. */
const telling = '^(email|name|alias|subject|serial|recipient|credential_id|ca_account)$';

/** Every id and telling text that the database holds, of all tables but those that belong to no account. */
export async function storedValues(database: Database): Promise<StoredValue[]> {
  const { rows: columns } = await database.query<{ table: string; column: string }>(
    `select c.table_name as "table", c.column_name as "column"
     from information_schema.columns as c join information_schema.tables as t using (table_schema, table_name)
     where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and t.table_name not in ('migrations', 'outbox', 'certificate_authorities')
       and c.data_type = 'text' and (c.column_name ~ '_id$' or c.column_name ~ $1)
     order by c.table_name, c.column_name`,
    [telling],
  );
  const values = new Map<string, StoredValue>();
  for (const { table, column } of columns) {
    const { rows } = await database.query<{ value: string }>(
      `select distinct "${column}" as value from "${table}" where "${column}" is not null order by 1`,
    );
    for (const { value } of rows) {
      if (!values.has(value)) {
        values.set(value, { kind: column.endsWith('_id') ? column : `${table}.${column}`, value });
      }
    }
  }
  return [...values.values()];
}

/** One of each kind, which is enough where a thing of that kind is not what belongs there. */
export function oneOfEachKind(values: readonly StoredValue[]): StoredValue[] {
  const counts = new Map<string, number>();
  return values.filter(({ kind }) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count === 1;
  });
}

/** Every row of every table, each as one text; but for how often strangers have tried a door, which is theirs to change. */
export async function allRows(database: Database): Promise<Set<string>> {
  const { rows: tables } = await database.query<{ name: string }>(
    "select t.table_name as name from information_schema.tables as t where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and t.table_name <> 'door_budgets'",
  );
  const all = new Set<string>();
  for (const { name } of tables) {
    const { rows } = await database.query<{ row: string }>(
      `select (to_jsonb(t) - 'failed_sign_ins')::text as row from "${name}" as t`,
    );
    for (const { row } of rows) all.add(`${name} ${row}`);
  }
  return all;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What looks just like this value and is nobody's. The same for all ids, so that the answer to it has to be asked for once. */
export function neverExisted(value: string): string {
  if (uuid.test(value)) return '7f3c1a52-0b64-4d0e-9c1d-5b2e8f6a4c90';
  return cursorTwin(value) ?? value.replaceAll(/[A-Za-z0-9]/g, otherCharacter);
}

function otherCharacter(character: string, position: number): string {
  if (/\d/.test(character)) return String((Number(character) + 1 + (position % 7)) % 10);
  const first = /[A-Z]/.test(character) ? 65 : 97;
  const letter = (character.charCodeAt(0) - first + 3 + (position % 7)) % 26;
  return String.fromCharCode(first + letter);
}

/** A cursor is a position in a list: the same position, beside a thing that never was. */
function cursorTwin(value: string): string | undefined {
  try {
    const parts = JSON.parse(Buffer.from(value, 'base64url').toString()) as unknown;
    if (!Array.isArray(parts)) return undefined;
    const twins = parts.map((part: unknown) =>
      typeof part === 'string' && !/^\d{4}-\d\d-\d\dT/.test(part) ? neverExisted(part) : part,
    );
    return Buffer.from(JSON.stringify(twins)).toString('base64url');
  } catch {
    return undefined;
  }
}
