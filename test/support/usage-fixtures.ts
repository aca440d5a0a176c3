import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createKafka } from '../../infra/kafka/client.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import { testParts } from './parts.ts';

/** Rows for tests about counting: a certificate with what it hangs on. Answers its id. */
export async function insertCertificate(
  database: Database,
  certificateId: string = randomUUID(),
): Promise<string> {
  const now = new Date('2026-01-01T00:00:00Z');
  const ids = [`account of ${certificateId}`, `operator of ${certificateId}`];
  await database.query(
    `insert into accounts (account_id, name, created_at) values ($1, $1, $2) on conflict do nothing`,
    [ids[0], now],
  );
  await database.query(
    `insert into operators (operator_id, email, name, password_hash, created_at) values ($1, $1 || '@example.org', 'Ana', '', $2)`,
    [ids[1], now],
  );
  await database.query(
    `insert into certificate_authorities (authority_id, name, base_uri, client_id, sealed_client_secret, created_at)
     values ($1, $1, 'http://127.0.0.1', 'client', '', $2)`,
    [`authority of ${certificateId}`, now],
  );
  await database.query(
    `insert into certificates
       (certificate_id, account_id, authority_id, alias, subject, issuer, serial, not_after, credential_id, ca_account, created_at)
     values ($1, $2, $3, $1, 'CN=Ana', 'CN=CA', '1', '2030-01-01Z', $1, 'ana', $4)`,
    [certificateId, ids[0], `authority of ${certificateId}`, now],
  );
  return certificateId;
}

export type GrantFixture = {
  readonly certificateId: string;
  readonly effectiveAt: string;
  readonly expiresAt?: string;
  readonly endedAt?: string;
  readonly allowance?: number;
  readonly used?: number;
  /** The grant that this one supersedes; it ends when this one begins. */
  readonly supersedes?: string;
};

/** Answers the grant's id. */
export async function insertGrant(database: Database, grant: GrantFixture): Promise<string> {
  const grantId = randomUUID();
  const { certificateId, effectiveAt, allowance = 1_000_000_000, used = 0, supersedes } = grant;
  const expiresAt =
    grant.expiresAt ?? new Date(Date.parse(effectiveAt) + 5_184_000_000).toISOString();
  await database.query(
    `insert into renewals
       (renewal_id, certificate_id, account_id, operator_id, state, started_at, deadline_at, state_hash, browser_hash, sealed_verifier,
        tries_left, outcome, ended_at)
     select $1, c.certificate_id, c.account_id, 'operator of ' || c.certificate_id, 'granted', $3, $3::timestamptz + interval '15 min',
       convert_to($1, 'UTF8'), '', '', 3, 'granted', $3
     from certificates as c where c.certificate_id = $2`,
    [grantId, certificateId, effectiveAt],
  );
  await database.query(
    `with ended as (
       update access_grants as g set successor_id = $1, ended_at = $3, end_reason = 'superseded' where g.grant_id = $6
       returning g.grant_id
     )
     insert into access_grants
       (grant_id, certificate_id, account_id, granted_by, effective_at, expires_at, allowance, binding_limit, ended_at, end_reason)
     select $1, c.certificate_id, c.account_id, 'operator of ' || c.certificate_id, $3, $4, $5, 'policy_time',
       $7::timestamptz, case when $7::timestamptz is null then null else 'revoked' end
     from certificates as c where c.certificate_id = $2 and (select count(*) from ended) >= 0`,
    [
      ...[grantId, certificateId, effectiveAt, expiresAt, allowance],
      ...[supersedes ?? null, grant.endedAt ?? null],
    ],
  );
  await database.query('insert into usage_counters (grant_id, used) values ($1, $2)', [
    grantId,
    used,
  ]);
  return grantId;
}

export async function usedOf(database: Database, grantId: string): Promise<number | undefined> {
  const { rows } = await database.query<{ used: number }>(
    'select c.used from usage_counters as c where c.grant_id = $1',
    [grantId],
  );
  return rows[0]?.used;
}

/** Deletes the records of a partition before `offset`, as retention does. */
export async function cutLog(topic: string, partition: number, offset: number): Promise<void> {
  const brokers = testParts().kafkaBrokers;
  // One of its own, that has heard of the topic: kafkajs keeps what it knows of leaders.
  const admin = createKafka({ brokers, clientId: 'test', log: pino({ level: 'silent' }) }).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  await admin.disconnect();
}
