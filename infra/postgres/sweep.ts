import type { GrantFacts } from '../../domain/facts.ts';
import type { Policy } from '../../domain/policy.ts';
import { loadFacts } from './grants.ts';
import type { Queryable } from './pool.ts';

const page = 500;

/** Ids of every open renewal and of every certificate's latest grant: each has a workflow that is not done yet. */
export async function* listOpenGrantIds(queryable: Queryable): AsyncGenerator<string> {
  yield* pagesOf(
    queryable,
    `select r.renewal_id from renewals as r
     left join access_grants as g on g.grant_id = r.renewal_id
     where (r.ended_at is null or (g.grant_id is not null and g.successor_id is null))
       and r.renewal_id > $1 order by r.renewal_id limit $2`,
    [],
  );
}

/** Facts of those that may owe something by now; those that surely owe nothing are left out by the database. */
export async function* listFactsThatMayBeDue(
  queryable: Queryable,
  now: Date,
  policy: Policy,
): AsyncGenerator<GrantFacts> {
  const ids = pagesOf(
    queryable,
    `select r.renewal_id from renewals as r
     left join access_grants as g on g.grant_id = r.renewal_id
     left join usage_counters as u on u.grant_id = g.grant_id
     where r.renewal_id > $1 and (
       r.ended_at is null
       or g.successor_id is null and (
         g.lapse_announced_at is null and (
           g.expires_at <= $3 or g.ended_at is not null or u.used * 100 > g.allowance * $4::bigint
         )
         or g.refusal_reported_at > coalesce(g.refusal_announced_at, '-infinity')
         or exists (
           select from access_grants as o
           where o.certificate_id = g.certificate_id and o.revoke_at <= $5 and o.revoked_at_ca_at is null
         )
       )
     )
     order by r.renewal_id limit $2`,
    [new Date(now.getTime() + policy.warningSeconds * 1000), policy.usageWarningPercent, now],
  );
  for await (const id of ids) {
    const facts = await loadFacts(queryable, id, now, policy);
    if (facts !== undefined) yield facts;
  }
}

/** Reads on from the last id of each page, so that no cursor and no lock is held while the rows are worked on. `$1` is that id, `$2` the page's size. */
async function* pagesOf(
  queryable: Queryable,
  sql: string,
  parameters: readonly unknown[],
): AsyncGenerator<string> {
  let after = '';
  for (;;) {
    const { rows } = await queryable.query<{ renewal_id: string }>(sql, [
      after,
      page,
      ...parameters,
    ]);
    for (const { renewal_id } of rows) yield renewal_id;
    const last = rows.at(-1);
    if (last === undefined || rows.length < page) return;
    after = last.renewal_id;
  }
}
