import { simulatorState } from '../../infra/ca/csc-simulator/testing.ts';
import { verifyAudit } from '../../infra/postgres/audit-verification.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import type { Driven } from './driver.ts';
import type {
  AuditEvidence,
  Evidence,
  GrantEvidence,
  MailEvidence,
  NoticeEvidence,
} from './evidence.ts';
import { failuresIn } from './failures.ts';
import { gateStaleSeconds, policy, type Installation } from './installation.ts';
import type { DriverRecord, Sighting } from './record.ts';
import { factsOf } from './settle.ts';
import { describeWorkflow } from './temporal-view.ts';

type Entered = Pick<Driven, 'account' | 'certificate'>;

/** Looks at everything from every side, when all is quiet. */
export async function collectEvidence(
  installation: Installation,
  driven: readonly Entered[],
  seen: { readonly record: DriverRecord; readonly sighting: Sighting },
): Promise<Evidence> {
  const { system, signatures } = installation;
  const { database } = system;
  const certificateIds = driven.map(({ certificate }) => certificate.id);
  const lastAnswers = await Promise.all(driven.map((each) => lastAnswer(system.urls.gate, each)));
  const [statuses, grants, renewals, audits, notices, outbox, suspended, operators, facts, calls] =
    await Promise.all([
      statusesOf(database, certificateIds),
      grantsOf(database, certificateIds),
      renewalsOf(database, certificateIds),
      auditsOf(database, certificateIds),
      noticesOf(database, certificateIds),
      outboxOf(database, certificateIds),
      suspendedOf(database, certificateIds),
      operatorsOf(
        database,
        driven.map(({ account }) => account.accountId),
      ),
      factsOf(database, certificateIds),
      simulatorState(system.urls.simulator),
    ]);
  const topic = await Promise.all(
    certificateIds.map(async (certificateId) =>
      (await signatures.recordsOf(certificateId)).map(({ id, count }) => ({
        certificateId,
        eventId: String(id),
        count: Number(count),
      })),
    ),
  );
  return {
    ...{ policy, gateStaleSeconds, ...seen },
    ...{ grants, renewals, audits, notices, outbox, suspended, operators, facts, lastAnswers },
    auditChain: await auditChainOf(database),
    lookedAt: new Date(),
    certificates: driven.map(({ account, certificate }) => ({
      certificateId: certificate.id,
      accountId: account.accountId,
    })),
    services: driven.flatMap(({ certificate }) =>
      certificate.services.map(({ id, alias }) => ({
        ...{ serviceId: id, certificateId: certificate.id, alias },
        statusAtFirst: alias === 'Retired' ? 'inactive' : 'active',
        status: statuses.get(id) ?? 'gone',
      })),
    ),
    mails: await mailsAbout(
      installation,
      driven.map(({ certificate }) => certificate.alias),
    ),
    topic: topic.flat(),
    grantedAtCa: calls.calls.flatMap(({ method, outcome, clientData }) =>
      method === 'credentials/authorize' && outcome.startsWith('ok') && clientData !== undefined
        ? [clientData]
        : [],
    ),
    workflows: await Promise.all(facts.map(({ grantId }) => describeWorkflow(system, grantId))),
    failures: failuresIn(await system.readLogs()),
  };
}

async function lastAnswer(
  gateUrl: string,
  { account, certificate }: Entered,
): Promise<Evidence['lastAnswers'][number]> {
  const askedAt = Date.now();
  const response = await fetch(`${gateUrl}/v1/certificates/${certificate.id}/access`, {
    headers: { authorization: `Bearer ${account.apiKey}` },
    signal: AbortSignal.timeout(10_000),
  });
  const { maySign, grantId } = (await response.json()) as {
    readonly maySign?: boolean;
    readonly grantId?: string | null;
  };
  const certificateId = certificate.id;
  return { certificateId, maySign: maySign === true, grantId: grantId ?? undefined, askedAt };
}

async function statusesOf(database: Database, ids: readonly string[]) {
  const { rows } = await database.query<{ client_service_id: string; status: string }>(
    'select s.client_service_id, s.status from client_services as s where s.certificate_id = any ($1)',
    [ids],
  );
  return new Map(rows.map((row) => [row.client_service_id, row.status]));
}

async function grantsOf(database: Database, ids: readonly string[]): Promise<GrantEvidence[]> {
  const { rows } = await database.query<{
    grant_id: string;
    certificate_id: string;
    account_id: string;
    effective_at: Date;
    expires_at: Date;
    allowance: number;
    used: number;
    recorded_at: Date;
    successor_id: string | null;
    services_suspended_at: Date | null;
  }>(
    `select g.grant_id, g.certificate_id, g.account_id, g.effective_at, g.expires_at, g.allowance, coalesce(u.used, 0) as used,
       r.ended_at as recorded_at, g.successor_id, g.services_suspended_at
     from access_grants as g
     join renewals as r on r.renewal_id = g.grant_id
     left join usage_counters as u on u.grant_id = g.grant_id
     where g.certificate_id = any ($1) order by r.ended_at`,
    [ids],
  );
  return rows.map((row) => ({
    grantId: row.grant_id,
    certificateId: row.certificate_id,
    accountId: row.account_id,
    effectiveAt: row.effective_at,
    expiresAt: row.expires_at,
    allowance: row.allowance,
    used: row.used,
    recordedAt: row.recorded_at,
    successorId: row.successor_id ?? undefined,
    servicesSuspendedAt: row.services_suspended_at ?? undefined,
  }));
}

async function renewalsOf(database: Database, ids: readonly string[]) {
  const { rows } = await database.query<{
    renewal_id: string;
    certificate_id: string;
    state: string;
  }>(
    'select r.renewal_id, r.certificate_id, r.state from renewals as r where r.certificate_id = any ($1)',
    [ids],
  );
  return rows.map((row) => ({
    renewalId: row.renewal_id,
    certificateId: row.certificate_id,
    state: row.state,
  }));
}

async function auditChainOf(database: Database): Promise<Evidence['auditChain']> {
  const { broken, sealing } = await verifyAudit(database);
  return { broken, oldestUnsealedAt: sealing.oldestUnsealedAt };
}

async function auditsOf(database: Database, ids: readonly string[]): Promise<AuditEvidence[]> {
  const { rows } = await database.query<{
    at: Date;
    actor: string;
    action: string;
    certificate_id: string;
    subject: string;
    details: Record<string, unknown>;
  }>(
    `select a.at, a.actor, a.action, a.certificate_id, a.subject, a.details from audit_events as a
     where a.certificate_id = any ($1) order by a.event_id`,
    [ids],
  );
  return rows.map(({ certificate_id: certificateId, ...row }) => ({ ...row, certificateId }));
}

async function noticesOf(database: Database, ids: readonly string[]): Promise<NoticeEvidence[]> {
  const { rows } = await database.query<{
    operator_id: string;
    grant_id: string;
    kind: string;
    slot: string;
    state: string;
    message_id: string | null;
  }>(
    `select i.operator_id, i.grant_id, i.kind, i.slot, i.state, m.message_id
     from reminder_items as i
     join access_grants as g on g.grant_id = i.grant_id
     left join mails as m on m.mail_id = i.mail_id
     where g.certificate_id = any ($1)
     union all
     -- Owed when it was written, and sent in vain as far as was known; then the usage warning took its place as the day's mail.
     select m.operator_id, '', m.kind, m.message_id, m.state, m.message_id from mails as m
     where m.certificate_id = any ($1) and not exists (select from reminder_items as i where i.mail_id = m.mail_id)`,
    [ids],
  );
  return rows.map((row) => ({
    operatorId: row.operator_id,
    grantId: row.grant_id,
    kind: row.kind,
    slot: row.slot,
    state: row.state,
    messageId: row.message_id ?? undefined,
  }));
}

async function outboxOf(database: Database, ids: readonly string[]): Promise<Evidence['outbox']> {
  const { rows } = await database.query<{ subject: string; name: string; is_aside: boolean }>(
    `select o.subject, o.name, o.set_aside_at is not null as is_aside from outbox as o
     where o.delivered_at is null
       and (o.subject = any ($1) or o.subject in (select r.renewal_id from renewals as r where r.certificate_id = any ($1)))`,
    [ids],
  );
  return rows.map(({ subject, name, is_aside: isAside }) => ({
    ...{ subject, name },
    state: isAside ? 'set_aside' : 'waiting',
  }));
}

async function suspendedOf(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await database.query<{ certificate_id: string; signatures: number }>(
    `select s.certificate_id, sum(s.signatures)::bigint as signatures from usage_suspense as s
     where s.certificate_id = any ($1) and s.settled_at is null group by s.certificate_id`,
    [ids],
  );
  return new Map(rows.map((row) => [row.certificate_id, row.signatures]));
}

async function operatorsOf(
  database: Database,
  accountIds: readonly string[],
): Promise<Evidence['operators']> {
  const { rows } = await database.query<{
    operator_id: string;
    account_id: string;
    email: string;
  }>(
    `select o.operator_id, m.account_id, o.email from account_operators as m
     join operators as o on o.operator_id = m.operator_id where m.account_id = any ($1)`,
    [accountIds],
  );
  return rows.map((row) => ({
    operatorId: row.operator_id,
    accountId: row.account_id,
    email: row.email,
  }));
}

async function mailsAbout(
  { system }: Installation,
  aliases: readonly string[],
): Promise<MailEvidence[]> {
  const { messages } = await system.mailbox.list('limit=1000');
  return messages
    .map(({ To, Subject, MessageID }) => ({
      to: To[0]?.Address ?? '',
      subject: Subject,
      messageId: MessageID,
    }))
    .filter(({ subject }) => aliases.some((alias) => subject.includes(`'${alias}'`)));
}
