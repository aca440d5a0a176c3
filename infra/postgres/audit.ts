import type { Queryable } from './pool.ts';

export type AuditEvent = {
  readonly at: Date;
  /** `operator:<id>`, `process:<name>`, `api_key:<id>` or `admin`; of somebody who has not signed in, the process that was asked. */
  readonly actor: string;
  /** What happened, in the past tense: `renewal_opened`, `client_services_suspended`. */
  readonly action: string;
  readonly accountId?: string | undefined;
  readonly certificateId?: string | undefined;
  /** `<kind>:<id>` of what it happened to. */
  readonly subject: string;
  /** Plain JSON; never a secret, never an address. */
  readonly details?: Readonly<Record<string, unknown>>;
};

/** Adds the event in the transaction of what it tells of, so that neither is there without the other. */
export async function recordAudit(tx: Queryable, event: AuditEvent): Promise<void> {
  await tx.query(
    `insert into audit_events (at, actor, action, account_id, certificate_id, subject, details)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      event.at,
      event.actor,
      event.action,
      event.accountId ?? null,
      event.certificateId ?? null,
      event.subject,
      JSON.stringify(event.details ?? {}),
    ],
  );
}
