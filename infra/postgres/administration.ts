import { lapseReason } from '../../domain/grant.ts';
import { Problem } from '../../domain/errors.ts';
import type { Role } from '../../domain/roles.ts';
import { lockCertificate } from './certificate-lock.ts';
import { findLatestGrant } from './grants.ts';
import { brokenConstraint, type Queryable } from './pool.ts';

/** The SQL behind services/shared/administration.ts: what is entered by hand, and read back as lists. Each write is part of its caller's transaction. */

export type Account = {
  readonly accountId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly reminderHour: number;
  readonly locale: string;
};
export type AccountSettings = Omit<Account, 'accountId'>;

export type OperatorOfAccount = {
  readonly operatorId: string;
  readonly accountId: string;
  readonly email: string;
  readonly name: string;
  readonly locale: string;
  readonly role: Role;
};

export type Authority = {
  readonly authorityId: string;
  readonly name: string;
  readonly baseUri: string;
  readonly clientId: string;
  readonly clientAccountUrl: string | undefined;
};

export type Certificate = {
  readonly certificateId: string;
  readonly accountId: string;
  readonly authorityId: string;
  readonly alias: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notAfter: Date;
  readonly credentialId: string;
  readonly caAccount: string;
};

export type ClientService = {
  readonly clientServiceId: string;
  readonly certificateId: string;
  readonly alias: string;
  readonly status: 'active' | 'suspended' | 'inactive';
};

const accountColumns = `a.account_id as "accountId", a.name, a.time_zone as "timeZone",
  a.reminder_hour as "reminderHour", a.locale`;

/** Throws `already_exists` when there is one of this name; two may come to have one by being renamed. */
export async function insertAccount(tx: Queryable, account: Account, now: Date): Promise<void> {
  const { rowCount } = await tx.query(
    `insert into accounts (account_id, name, time_zone, reminder_hour, locale, created_at)
     select $1, $2, $3, $4, $5, $6
     where not exists (select from accounts as a where lower(a.name) = lower($2))`,
    [account.accountId, account.name, account.timeZone, account.reminderHour, account.locale, now],
  );
  if (rowCount === 0) throw new Problem('already_exists', { field: 'name' });
}

export async function listAccounts(queryable: Queryable): Promise<Account[]> {
  const { rows } = await queryable.query<Account>(
    `select ${accountColumns} from accounts as a order by lower(a.name)`,
  );
  return rows;
}

/** By id or by name; throws `not_found`, or `invalid_request` where several have the name. Locks the row when it is going to be changed. */
export async function getAccount(
  queryable: Queryable,
  idOrName: string,
  { forUpdate = false } = {},
): Promise<Account> {
  const { rows } = await queryable.query<Account>(
    `select ${accountColumns} from accounts as a
     where a.account_id = $1 or lower(a.name) = lower($1)
     order by a.account_id <> $1 limit 2${forUpdate ? ' for no key update' : ''}`,
    [idOrName],
  );
  const [first, second] = rows;
  if (second !== undefined && first?.accountId !== idOrName) {
    const message = 'several accounts have this name: give the id of one';
    throw new Problem('invalid_request', { faults: [{ path: 'account', message }] });
  }
  return found(first, 'account');
}

export async function updateAccount(
  tx: Queryable,
  accountId: string,
  settings: AccountSettings,
): Promise<void> {
  await tx.query(
    `update accounts as a set name = $2, time_zone = $3, reminder_hour = $4, locale = $5
     where a.account_id = $1`,
    [accountId, settings.name, settings.timeZone, settings.reminderHour, settings.locale],
  );
}

/** The grants whose workflows are still open: the latest of each certificate. */
export async function openGrantIds(tx: Queryable, accountId: string): Promise<string[]> {
  const { rows } = await tx.query<{ grant_id: string }>(
    `select g.grant_id from access_grants as g
     where g.account_id = $1 and g.successor_id is null order by g.grant_id`,
    [accountId],
  );
  return rows.map(({ grant_id }) => grant_id);
}

export type NewOperator = {
  readonly operatorId: string;
  readonly email: string;
  readonly name: string;
  readonly locale: string;
  /** Of a secret that nobody knows, until `setFirstPassword`. */
  readonly passwordHash: string;
};

/** Answers the operator with this address: the new one, who has no password yet, or the one that was there and is left as it is. */
export async function insertOperator(
  tx: Queryable,
  operator: NewOperator,
  now: Date,
): Promise<{ operatorId: string; passwordSet: boolean }> {
  const { rows } = await tx.query<{ operatorId: string; passwordSet: boolean }>(
    `insert into operators as o (operator_id, email, name, locale, password_hash, password_set, created_at)
     values ($1, $2, $3, $4, $5, false, $6)
     on conflict (lower(email)) do update set locale = o.locale
     returning o.operator_id as "operatorId", o.password_set as "passwordSet"`,
    [
      operator.operatorId,
      operator.email,
      operator.name,
      operator.locale,
      operator.passwordHash,
      now,
    ],
  );
  return found(rows[0], 'operator');
}

/** Somebody who was invited has none until they have chosen one. */
export async function hasPassword(queryable: Queryable, operatorId: string): Promise<boolean> {
  const { rows } = await queryable.query<{ password_set: boolean }>(
    'select o.password_set from operators as o where o.operator_id = $1',
    [operatorId],
  );
  return rows[0]?.password_set ?? false;
}

/** Gives a password to somebody who has none; nobody's password is replaced. */
export async function setFirstPassword(
  tx: Queryable,
  operatorId: string,
  passwordHash: string,
): Promise<void> {
  await tx.query(
    `update operators as o set password_hash = $2, password_set = true
     where o.operator_id = $1 and not o.password_set`,
    [operatorId, passwordHash],
  );
}

export async function insertMembership(
  tx: Queryable,
  membership: { readonly accountId: string; readonly operatorId: string; readonly role: Role },
  now: Date,
): Promise<void> {
  await write(
    tx,
    `insert into account_operators (account_id, operator_id, role, created_at)
     values ($1, $2, $3, $4)`,
    [membership.accountId, membership.operatorId, membership.role, now],
    { account_operators_pkey: 'email' },
  );
}

export async function listOperators(
  queryable: Queryable,
  accountId: string | undefined,
): Promise<OperatorOfAccount[]> {
  const { rows } = await queryable.query<OperatorOfAccount>(
    `select o.operator_id as "operatorId", m.account_id as "accountId", o.email, o.name, o.locale, m.role
     from account_operators as m join operators as o on o.operator_id = m.operator_id
     where $1::text is null or m.account_id = $1
     order by m.account_id, lower(o.email)`,
    [accountId ?? null],
  );
  return rows;
}

/** By id or address; throws `not_found` when the account has no such operator. Locks the account's row first, so that two changes of one account's operators follow each other. */
export async function lockOperator(
  tx: Queryable,
  accountId: string,
  idOrEmail: string,
): Promise<OperatorOfAccount> {
  await getAccount(tx, accountId, { forUpdate: true });
  const operators = await listOperators(tx, accountId);
  const wanted = idOrEmail.toLowerCase();
  return found(
    operators.find(
      ({ operatorId, email }) => operatorId === idOrEmail || email.toLowerCase() === wanted,
    ),
    'operator',
  );
}

export async function updateRole(
  tx: Queryable,
  accountId: string,
  operatorId: string,
  role: Role,
): Promise<void> {
  await tx.query(
    `update account_operators as m set role = $3 where m.account_id = $1 and m.operator_id = $2`,
    [accountId, operatorId, role],
  );
}

/** Answers the language before; throws `not_found`. */
export async function updateOperatorLocale(
  tx: Queryable,
  operatorId: string,
  locale: string,
): Promise<string> {
  const { rows } = await tx.query<{ before: string }>(
    `with b as (select o.locale from operators as o where o.operator_id = $1 for no key update)
     update operators as o set locale = $2 from b where o.operator_id = $1
     returning b.locale as before`,
    [operatorId, locale],
  );
  return found(rows[0], 'operator').before;
}

/** The operator's own row stays: grants, renewals and audit events name it. */
export async function deleteMembership(
  tx: Queryable,
  accountId: string,
  operatorId: string,
): Promise<void> {
  await tx.query(
    `delete from account_operators as m where m.account_id = $1 and m.operator_id = $2`,
    [accountId, operatorId],
  );
}

const authorityColumns = `ca.authority_id as "authorityId", ca.name, ca.base_uri as "baseUri", ca.client_id as "clientId",
  ca.client_account_url as "clientAccountUrl"`;
type AuthorityRow = Omit<Authority, 'clientAccountUrl'> & { clientAccountUrl: string | null };
const authorityFromRow = (row: AuthorityRow): Authority => ({
  ...row,
  clientAccountUrl: row.clientAccountUrl ?? undefined,
});

export async function insertAuthority(
  tx: Queryable,
  authority: Authority & { readonly sealedClientSecret: string },
  now: Date,
): Promise<void> {
  await write(
    tx,
    `insert into certificate_authorities
       (authority_id, name, base_uri, client_id, sealed_client_secret, client_account_url, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      authority.authorityId,
      authority.name,
      authority.baseUri,
      authority.clientId,
      authority.sealedClientSecret,
      authority.clientAccountUrl ?? null,
      now,
    ],
    { certificate_authorities__name: 'name' },
  );
}

export async function listAuthorities(queryable: Queryable): Promise<Authority[]> {
  const { rows } = await queryable.query<AuthorityRow>(
    `select ${authorityColumns} from certificate_authorities as ca order by lower(ca.name)`,
  );
  return rows.map(authorityFromRow);
}

/** By id or by name; throws `not_found`. */
export async function getAuthority(queryable: Queryable, idOrName: string): Promise<Authority> {
  const { rows } = await queryable.query<AuthorityRow>(
    `select ${authorityColumns} from certificate_authorities as ca
     where ca.authority_id = $1 or lower(ca.name) = lower($1)
     order by ca.authority_id <> $1 limit 1`,
    [idOrName],
  );
  return authorityFromRow(found(rows[0], 'certificate authority'));
}

export async function updateClientSecret(
  tx: Queryable,
  authorityId: string,
  sealedClientSecret: string,
): Promise<void> {
  await tx.query(
    'update certificate_authorities as ca set sealed_client_secret = $2 where ca.authority_id = $1',
    [authorityId, sealedClientSecret],
  );
}

export async function insertCertificate(
  tx: Queryable,
  certificate: Certificate,
  now: Date,
): Promise<void> {
  await write(
    tx,
    `insert into certificates
       (certificate_id, account_id, authority_id, alias, subject, issuer, serial, not_after, credential_id, ca_account, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      certificate.certificateId,
      certificate.accountId,
      certificate.authorityId,
      certificate.alias,
      certificate.subject,
      certificate.issuer,
      certificate.serial,
      certificate.notAfter,
      certificate.credentialId,
      certificate.caAccount,
      now,
    ],
    { certificates__alias: 'alias', certificates__credential: 'credentialId' },
  );
}

export async function listCertificates(
  queryable: Queryable,
  accountId: string | undefined,
): Promise<Certificate[]> {
  const { rows } = await queryable.query<Certificate>(
    `select c.certificate_id as "certificateId", c.account_id as "accountId", c.authority_id as "authorityId", c.alias,
       c.subject, c.issuer, c.serial, c.not_after as "notAfter", c.credential_id as "credentialId", c.ca_account as "caAccount"
     from certificates as c
     where $1::text is null or c.account_id = $1
     order by c.account_id, lower(c.alias)`,
    [accountId ?? null],
  );
  return rows;
}

/**
 * Under the certificate's lock, with the time read after it: a service that is active on a certificate whose grant has lapsed would never be suspended,
 * so it is refused with `access_blocked`. Answers the certificate's account.
 */
export async function insertClientService(
  tx: Queryable,
  service: ClientService,
  clockNow: () => Date,
): Promise<{ accountId: string; now: Date }> {
  const { accountId } = await lockCertificate(tx, service.certificateId);
  const now = clockNow();
  const latest = await findLatestGrant(tx, service.certificateId);
  const lapsed = latest && lapseReason(latest.grant, latest.used, now);
  if (service.status === 'active' && lapsed !== undefined) {
    throw new Problem('access_blocked', { reason: lapsed });
  }
  await write(
    tx,
    `insert into client_services (client_service_id, certificate_id, alias, status, created_at)
     values ($1, $2, $3, $4, $5)`,
    [service.clientServiceId, service.certificateId, service.alias, service.status, now],
    { client_services__alias: 'alias' },
  );
  return { accountId, now };
}

export async function listClientServices(
  queryable: Queryable,
  certificateId: string | undefined,
): Promise<ClientService[]> {
  const { rows } = await queryable.query<ClientService>(
    `select s.client_service_id as "clientServiceId", s.certificate_id as "certificateId", s.alias, s.status
     from client_services as s
     where $1::text is null or s.certificate_id = $1
     order by s.certificate_id, lower(s.alias)`,
    [certificateId ?? null],
  );
  return rows;
}

/** Runs a statement; a unique index it breaks becomes `already_exists` with the field that collides, a reference into nothing `not_found`. */
export async function write(
  tx: Queryable,
  sql: string,
  values: unknown[],
  unique: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await tx.query(sql, values);
  } catch (error) {
    const constraint = brokenConstraint(error);
    const field = constraint === undefined ? undefined : unique[constraint];
    if (field !== undefined) throw new Problem('already_exists', { field }, { cause: error });
    if (constraint?.endsWith('_fkey')) throw new Problem('not_found', {}, { cause: error });
    throw error;
  }
}

/** Throws `not_found`, naming what there is not. */
export function found<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new Problem('not_found', { what });
  return row;
}
