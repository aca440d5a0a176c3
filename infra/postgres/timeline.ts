import type { Queryable } from './pool.ts';

/** Something that happened to a certificate, as stored: who is an id with a name where there is one, details are not chosen yet. */
export type TimelineRow = {
  /** `event-<n>`, `mail-<id>` or `grant-<id>`. */
  readonly id: string;
  readonly at: Date;
  readonly action: string;
  /** `operator:<id>`, `process:<name>`, `api_key:<id>` or `admin`. */
  readonly actor: string;
  /** Of the operator or the API key. */
  readonly actorName: string | undefined;
  /** Of the operator whom it is about: the recipient of a mail, for one. */
  readonly operatorName: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
};

/** Newest first; within an instant what was written last. Whole microseconds, so that a page begins exactly where the one before ended. */
export type TimelinePosition = {
  /** RFC 3339 in UTC with microseconds. */
  readonly at: string;
  readonly eventId: number;
  readonly id: string;
};

export type TimelineFilter = {
  /** Only these actions, or with `except` all but these; undefined for every action. */
  readonly actions?: readonly string[] | undefined;
  readonly except?: boolean;
};

type Row = {
  id: string;
  at: Date;
  position_at: string;
  event_id: number;
  action: string;
  actor: string;
  actor_name: string | null;
  operator_name: string | null;
  details: Record<string, unknown>;
};

/** The actions of entries that come from other tables than the audit. */
export const mailAction = 'mail_sent';
export const grantAction = 'access_granted';

/**
 * A page of a certificate's audit events, mails and grants as one list. A grant is told once, where its audit event stands, with what is known of its end.
 * Reads no more of each table than the page needs.
 */
export async function listTimeline(
  queryable: Queryable,
  certificateId: string,
  filter: TimelineFilter,
  after: TimelinePosition | undefined,
  limit: number,
): Promise<{ rows: TimelineRow[]; next: TimelinePosition | undefined }> {
  const { rows } = await queryable.query<Row>(
    `with page as (
       (select 'event-' || e.event_id as id, e.at, e.event_id, e.action, e.actor, e.subject, e.details
        from audit_events as e
        where e.certificate_id = $1
          and ($2::text[] is null or (e.action = any($2)) <> $3)
          and ($4::timestamptz is null or e.at <= $4)
          and ($4::timestamptz is null or (e.at, e.event_id, 'event-' || e.event_id) < ($4, $5::bigint, $6::text))
        order by e.at desc, e.event_id desc limit $7)
       union all
       (select 'mail-' || m.mail_id, m.created_at, 0, '${mailAction}', 'process:worker', 'operator:' || m.operator_id,
          jsonb_build_object('mailId', m.mail_id, 'kind', m.kind, 'state', m.state, 'subject', m.subject, 'sentAt', m.sent_at)
        from mails as m
        where m.certificate_id = $1
          and ($2::text[] is null or ('${mailAction}' = any($2)) <> $3)
          and ($4::timestamptz is null or (m.created_at, 0, 'mail-' || m.mail_id) < ($4, $5::bigint, $6::text))
        order by m.created_at desc, m.mail_id desc limit $7)
       union all
       -- one that was entered in another way than by a renewal
       (select 'grant-' || g.grant_id, g.effective_at, 0, '${grantAction}', 'operator:' || g.granted_by, 'renewal:' || g.grant_id, '{}'
        from access_grants as g
        where g.certificate_id = $1
          and ($2::text[] is null or ('${grantAction}' = any($2)) <> $3)
          and ($4::timestamptz is null or (g.effective_at, 0, 'grant-' || g.grant_id) < ($4, $5::bigint, $6::text))
          and not exists (
            select from audit_events as e
            where e.certificate_id = $1 and e.action = '${grantAction}' and e.subject = 'renewal:' || g.grant_id
          )
        order by g.effective_at desc, g.grant_id desc limit $7)
       order by at desc, event_id desc, id desc limit $7
     )
     select p.id, p.at, to_char(p.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as position_at, p.event_id, p.action, p.actor,
       coalesce(o.name, k.name) as actor_name, w.name as operator_name,
       case when g.grant_id is null then p.details else p.details || jsonb_build_object(
         'effectiveAt', g.effective_at, 'expiresAt', g.expires_at, 'allowance', g.allowance, 'bindingLimit', g.binding_limit,
         'endedAt', g.ended_at, 'endReason', g.end_reason) end as details
     from page as p
     left join operators as o on p.actor = 'operator:' || o.operator_id
     left join api_keys as k on p.actor = 'api_key:' || k.api_key_id
     left join operators as w on w.operator_id = coalesce(p.details ->> 'operatorId', substring(p.subject from '^operator:(.*)$'))
     left join access_grants as g on p.action = '${grantAction}' and p.subject = 'renewal:' || g.grant_id
     order by p.at desc, p.event_id desc, p.id desc`,
    [
      certificateId,
      filter.actions ?? null,
      filter.except ?? false,
      after?.at ?? null,
      after?.eventId ?? null,
      after?.id ?? null,
      limit + 1,
    ],
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page.map((row) => ({
      id: row.id,
      at: row.at,
      action: row.action,
      actor: row.actor,
      actorName: row.actor_name ?? undefined,
      operatorName: row.operator_name ?? undefined,
      details: row.details,
    })),
    next:
      last && rows.length > page.length
        ? { at: last.position_at, eventId: last.event_id, id: last.id }
        : undefined,
  };
}
