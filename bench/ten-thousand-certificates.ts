import type { Database } from '../infra/postgres/pool.ts';

export type Owner = {
  readonly accountId: string;
  readonly authorityId: string;
  readonly operatorId: string;
};

/** How many in a hundred are so; the others are in force. */
const shares = { none: 3, lapsed: 5, endsSoon: 7, usedUp: 2 };

/**
 * Fills an account with certificates in every standing, each with three client services, as statements over all of them: by the product's own steps it would take
 * an hour. Answers the id of one that ends soon.
 */
export async function insertCertificates(
  database: Database,
  { accountId, authorityId, operatorId }: Owner,
  count: number,
): Promise<string> {
  await database.query(
    `insert into certificates (certificate_id, account_id, authority_id, alias, subject, issuer, serial, not_after, credential_id, ca_account,
       created_at)
     select 'certificate-' || n, $1, $2, 'Seal of the branch office ' || n, 'CN=Branch office ' || n || ', O=Loja Azul', 'CN=Simulated CA',
       to_char(n, 'FM0000000000'), now() + interval '3 years', 'credential-' || n, 'ana@cliente.example', now() - interval '1 year'
     from generate_series(1, $3::int) as n`,
    [accountId, authorityId, count],
  );
  await database.query(
    `insert into renewals (renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_hash, browser_hash,
       sealed_verifier, tries_left, outcome, ended_at)
     select 'grant-' || n, 'certificate-' || n, $1, $2, 'granted', at, at + interval '15 min', convert_to('grant-' || n, 'UTF8'), '', '', 3,
       'granted', at
     from (
       select n, date_trunc('second', now()) - case
         when n % 100 < $4 then interval '60 days' + n % 20 * interval '1 day'
         when n % 100 < $5 then interval '54 days' + n % 5 * interval '1 day' + n % 24 * interval '1 hour'
         else n % 50 * interval '1 day'
       end as at
       from generate_series(1, $3::int) as n
       where n % 100 >= $6
     ) as granted`,
    [
      ...[accountId, operatorId, count],
      ...[shares.none + shares.lapsed, shares.none + shares.lapsed + shares.endsSoon, shares.none],
    ],
  );
  await database.query(
    `insert into access_grants (grant_id, certificate_id, account_id, granted_by, effective_at, expires_at, allowance, binding_limit,
       lapse_reason, services_suspended_at)
     select r.renewal_id, r.certificate_id, r.account_id, r.operator_id, r.started_at, r.started_at + interval '60 days', 1000000000,
       'policy_time', case when has_lapsed then 'grant_expired' end, case when has_lapsed then r.started_at + interval '60 days' end
     from renewals as r cross join lateral (select r.started_at + interval '60 days' <= now() as has_lapsed) as l`,
  );
  await database.query(
    `insert into usage_counters (grant_id, used, last_event_at)
     select 'grant-' || n, case when n % 100 >= 100 - $2 then 950000000 + n else n::bigint * 7919 % 800000000 end, now()
     from generate_series(1, $1::int) as n
     where n % 100 >= $3`,
    [count, shares.usedUp, shares.none],
  );
  await database.query(
    `insert into client_services (client_service_id, certificate_id, alias, status, created_at)
     select 'service-' || n || '-' || s, 'certificate-' || n, 'service ' || s,
       case when n % 100 between $2 and $3 then 'suspended' else 'active' end, now() - interval '1 year'
     from generate_series(1, $1::int) as n cross join generate_series(1, 3) as s`,
    [count, shares.none, shares.none + shares.lapsed - 1],
  );
  await database.query(
    `insert into suspensions (suspension_id, client_service_id, grant_id, reason, placed_at)
     select 'suspension-' || s.client_service_id, s.client_service_id, g.grant_id, g.lapse_reason, g.services_suspended_at
     from client_services as s join access_grants as g on g.certificate_id = s.certificate_id
     where s.status = 'suspended'`,
  );
  await database.query('analyze');
  return `certificate-${shares.none + shares.lapsed}`;
}
