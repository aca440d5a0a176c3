import type pg from 'pg';

export type OwnObject = {
  readonly kind: 'table' | 'sequence' | 'function';
  readonly name: string;
  /** As it stands in a statement. */
  readonly reference: string;
  readonly owner: string;
};

/** What lies in the schema, by kind and name, but for what belongs to an extension. */
export async function ownObjects(client: pg.Client): Promise<OwnObject[]> {
  const { rows } = await client.query<OwnObject>(
    `with found as (
       select 'pg_class'::regclass as catalogue, c.oid, case c.relkind when 'S' then 'sequence' else 'table' end as kind, c.relname::text as name,
         c.oid::regclass::text as reference, c.relowner as owner
       from pg_class as c
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
       union all
       select 'pg_proc'::regclass, p.oid, 'function', p.proname::text, p.oid::regprocedure::text, p.proowner
       from pg_proc as p where p.pronamespace = 'public'::regnamespace
     )
     select f.kind, f.name, f.reference, pg_get_userbyid(f.owner)::text as owner from found as f
     where not exists (
       select from pg_depend as d where d.classid = f.catalogue and d.objid = f.oid and d.deptype = 'e'
     )
     order by f.kind desc, f.name`,
  );
  return rows;
}
