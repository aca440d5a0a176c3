import type { BindingLimit, EndReason, Grant } from '../../domain/grant.ts';
import type { Role } from '../../domain/roles.ts';
import type { Queryable } from './pool.ts';

/** A certificate as one of its account's operators may see it. */
export type VisibleCertificate = {
  readonly certificateId: string;
  readonly alias: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notAfter: Date;
  /** The client account at the CA that it is renewed with, as operators know it. */
  readonly caAccount: string;
  readonly account: {
    readonly accountId: string;
    readonly name: string;
    readonly timeZone: string;
  };
  readonly authority: { readonly name: string; readonly clientAccountUrl: string | undefined };
  /** The role that the asking operator has in its account. */
  readonly role: Role;
};

type VisibleRow = {
  certificate_id: string;
  alias: string;
  subject: string;
  issuer: string;
  serial: string;
  not_after: Date;
  ca_account: string;
  account_id: string;
  account_name: string;
  time_zone: string;
  authority_name: string;
  client_account_url: string | null;
  role: Role;
};

const visibleColumns = `
  c.certificate_id, c.alias, c.subject, c.issuer, c.serial, c.not_after, c.ca_account,
  a.account_id, a.name as account_name, a.time_zone, ca.name as authority_name, ca.client_account_url, m.role`;
const visibleTables = `
  certificates as c
  join accounts as a on a.account_id = c.account_id
  join certificate_authorities as ca on ca.authority_id = c.authority_id
  join account_operators as m on m.account_id = c.account_id`;

function visibleFromRow(row: VisibleRow): VisibleCertificate {
  return {
    certificateId: row.certificate_id,
    alias: row.alias,
    subject: row.subject,
    issuer: row.issuer,
    serial: row.serial,
    notAfter: row.not_after,
    caAccount: row.ca_account,
    account: { accountId: row.account_id, name: row.account_name, timeZone: row.time_zone },
    authority: {
      name: row.authority_name,
      clientAccountUrl: row.client_account_url ?? undefined,
    },
    role: row.role,
  };
}

/** Undefined both when there is no such certificate and when it is of an account that is not the operator's. */
export async function findVisibleCertificate(
  queryable: Queryable,
  certificateId: string,
  operatorId: string,
): Promise<VisibleCertificate | undefined> {
  const { rows } = await queryable.query<VisibleRow>(
    `select ${visibleColumns} from ${visibleTables}
     where c.certificate_id = $1 and m.operator_id = $2`,
    [certificateId, operatorId],
  );
  return rows[0] && visibleFromRow(rows[0]);
}

/** A certificate as lists tell it. An account may have ten thousand: nothing is read here that no list needs. */
export type ListedCertificate = Pick<
  VisibleCertificate,
  'certificateId' | 'alias' | 'subject' | 'serial' | 'notAfter' | 'role'
> & {
  readonly account: { readonly accountId: string; readonly name: string };
  /** The latest grant, whether still in force or not. */
  readonly grant: Grant | undefined;
  readonly bindingLimit: BindingLimit | undefined;
  readonly used: number;
  readonly suspendedServiceCount: number;
};

/** Instants come as milliseconds: for thousands of rows, parsing dates takes longer than the query. */
type ListedRow = {
  certificate_id: string;
  account_id: string;
  alias: string;
  subject: string;
  serial: string;
  not_after: number;
  effective_at: number | null;
  expires_at: number;
  allowance: number;
  ends_with_certificate: boolean;
  binding_limit: BindingLimit | null;
  ended_at: number | null;
  end_reason: EndReason | null;
  used: number;
  suspended_count: number;
};
const milliseconds = (column: string): string =>
  `(extract(epoch from ${column}) * 1000)::float8 as ${column.replace(/^\w+\./, '')}`;

/** All certificates of the operator's accounts, with what their standing is told by, in no particular order. */
export async function listVisibleCertificates(
  queryable: Queryable,
  operatorId: string,
): Promise<ListedCertificate[]> {
  const { rows: memberships } = await queryable.query<{
    account_id: string;
    name: string;
    role: Role;
  }>(
    `select m.account_id, a.name, m.role
     from account_operators as m join accounts as a on a.account_id = m.account_id
     where m.operator_id = $1`,
    [operatorId],
  );
  const byAccount = new Map(
    memberships.map(({ account_id: accountId, name, role }) => [
      accountId,
      { account: { accountId, name }, role },
    ]),
  );
  const { rows } = await queryable.query<ListedRow>(
    `select c.certificate_id, c.account_id, c.alias, c.subject, c.serial, ${milliseconds('c.not_after')},
       ${milliseconds('g.effective_at')}, ${milliseconds('g.expires_at')}, g.allowance, g.ends_with_certificate, g.binding_limit,
       ${milliseconds('g.ended_at')}, g.end_reason, coalesce(u.used, 0) as used, coalesce(s.suspended_count, 0) as suspended_count
     from certificates as c
     left join access_grants as g on g.certificate_id = c.certificate_id and g.successor_id is null
     left join usage_counters as u on u.grant_id = g.grant_id
     left join (
       select cs.certificate_id, count(*) as suspended_count from client_services as cs
       where cs.status = 'suspended' group by cs.certificate_id
     ) as s on s.certificate_id = c.certificate_id
     where c.account_id = any ($1)`,
    [[...byAccount.keys()]],
  );
  return rows.flatMap((row) => {
    const membership = byAccount.get(row.account_id);
    return membership === undefined ? [] : [listedFromRow(row, membership)];
  });
}

/** Field by field: of ten thousand rows, spreading objects into others would take longer than all the rest. */
const listedFromRow = (
  row: ListedRow,
  { account, role }: Pick<ListedCertificate, 'account' | 'role'>,
): ListedCertificate => ({
  account,
  role,
  certificateId: row.certificate_id,
  alias: row.alias,
  subject: row.subject,
  serial: row.serial,
  notAfter: new Date(row.not_after),
  grant:
    row.effective_at === null
      ? undefined
      : {
          effectiveAt: new Date(row.effective_at),
          expiresAt: new Date(row.expires_at),
          allowance: row.allowance,
          endsWithCertificate: row.ends_with_certificate,
          endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
          endReason: row.end_reason ?? undefined,
        },
  bindingLimit: row.binding_limit ?? undefined,
  used: row.used,
  suspendedServiceCount: row.suspended_count,
});

/** Where and as whom the platform asks the CA about a certificate. */
export type CredentialAtCa = {
  readonly authorityId: string;
  readonly baseUri: string;
  readonly clientId: string;
  /** Belongs to the authority's id. */
  readonly sealedClientSecret: string;
  readonly credentialId: string;
};

export async function findCredentialAtCa(
  queryable: Queryable,
  certificateId: string,
): Promise<CredentialAtCa | undefined> {
  const { rows } = await queryable.query<{
    authority_id: string;
    base_uri: string;
    client_id: string;
    sealed_client_secret: string;
    credential_id: string;
  }>(
    `select ca.authority_id, ca.base_uri, ca.client_id, ca.sealed_client_secret, c.credential_id
     from certificates as c join certificate_authorities as ca on ca.authority_id = c.authority_id
     where c.certificate_id = $1`,
    [certificateId],
  );
  const row = rows[0];
  return (
    row && {
      authorityId: row.authority_id,
      baseUri: row.base_uri,
      clientId: row.client_id,
      sealedClientSecret: row.sealed_client_secret,
      credentialId: row.credential_id,
    }
  );
}

/** The name of the operator who obtained a grant. */
export async function findGrantedBy(
  queryable: Queryable,
  grantId: string,
): Promise<string | undefined> {
  const { rows } = await queryable.query<{ name: string }>(
    `select o.name from access_grants as g join operators as o on o.operator_id = g.granted_by
     where g.grant_id = $1`,
    [grantId],
  );
  return rows[0]?.name;
}
