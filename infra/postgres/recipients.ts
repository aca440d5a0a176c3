import { standingOf } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import type { Role } from '../../domain/roles.ts';
import { dueReminderOf, grantColumns, grantFromRow, type GrantRow } from './grants.ts';
import type { Queryable } from './pool.ts';

type MailState = 'sending' | 'accepted' | 'refused' | 'failed';

/** An operator of a certificate's account, with the last mail to them about it. */
export type Recipient = {
  readonly operatorId: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly lastDelivery:
    | {
        readonly mailId: string;
        readonly kind: string;
        /** When it was sent, or first tried. */
        readonly at: Date;
        readonly state: MailState;
      }
    | undefined;
};

type RecipientRow = {
  operator_id: string;
  name: string;
  email: string;
  role: Role;
  mail_id: string | null;
  kind: string;
  at: Date;
  state: MailState;
};

/** Everybody who is told about a certificate: the operators that its account has now, by name. */
export async function listRecipients(
  queryable: Queryable,
  certificateId: string,
): Promise<Recipient[]> {
  const { rows } = await queryable.query<RecipientRow>(
    `select o.operator_id, o.name, o.email, m.role, d.mail_id, d.kind, d.at, d.state
     from certificates as c
     join account_operators as m on m.account_id = c.account_id
     join operators as o on o.operator_id = m.operator_id
     left join lateral (
       select x.mail_id, x.kind, coalesce(x.sent_at, x.created_at) as at, x.state from mails as x
       where x.certificate_id = c.certificate_id and x.operator_id = o.operator_id
       order by x.created_at desc, x.mail_id desc limit 1
     ) as d on true
     where c.certificate_id = $1
     order by lower(o.name), o.operator_id`,
    [certificateId],
  );
  return rows.map((row) => ({
    operatorId: row.operator_id,
    name: row.name,
    email: row.email,
    role: row.role,
    lastDelivery:
      row.mail_id === null
        ? undefined
        : { mailId: row.mail_id, kind: row.kind, at: row.at, state: row.state },
  }));
}

/** The hour and zone of a certificate's account, and when the next reminder about it is due there; undefined when no further one is. */
export async function findReminderPlan(
  queryable: Queryable,
  certificateId: string,
  now: Date,
  policy: Policy,
): Promise<{ timeZone: string; reminderHour: number; nextReminderAt: Date | undefined }> {
  const { rows: accounts } = await queryable.query<{ time_zone: string; reminder_hour: number }>(
    `select a.time_zone, a.reminder_hour
     from certificates as c join accounts as a on a.account_id = c.account_id
     where c.certificate_id = $1`,
    [certificateId],
  );
  const account = accounts[0];
  if (account === undefined) throw new Error(`certificate ${certificateId} is gone`);
  const { rows } = await queryable.query<
    GrantRow & { usage_warned_at: Date | null; last_reminder_slot: string | null }
  >(
    `select ${grantColumns}, t.reached_at as usage_warned_at, g.last_reminder_slot
     from access_grants as g
     left join usage_counters as u on u.grant_id = g.grant_id
     left join usage_thresholds as t on t.grant_id = g.grant_id and t.percent < 100
     where g.certificate_id = $1 and g.successor_id is null`,
    [certificateId],
  );
  const row = rows[0];
  const isOver =
    row?.services_suspended_at !== null ||
    standingOf(grantFromRow(row).grant, row.used, now, policy).kind === 'lapsed';
  const due = isOver ? undefined : dueReminderOf({ ...row, ...account }, now, policy);
  return {
    timeZone: account.time_zone,
    reminderHour: account.reminder_hour,
    nextReminderAt: due?.dueAt,
  };
}

/** A mail as it was sent. */
export type StoredMail = {
  readonly mailId: string;
  readonly certificateId: string;
  readonly kind: string;
  readonly recipientName: string;
  /** Undefined when the recipient has left the account. */
  readonly address: string | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly state: MailState;
  readonly createdAt: Date;
  readonly sentAt: Date | undefined;
};

type MailRow = {
  mail_id: string;
  certificate_id: string;
  kind: string;
  name: string;
  address: string | null;
  subject: string;
  text_body: string;
  html_body: string;
  state: MailState;
  created_at: Date;
  sent_at: Date | null;
};

/** Undefined both when there is no such mail and when it is of an account that is not the asking operator's. */
export async function findVisibleMail(
  queryable: Queryable,
  mailId: string,
  operatorId: string,
): Promise<StoredMail | undefined> {
  const { rows } = await queryable.query<MailRow>(
    `select x.mail_id, x.certificate_id, x.kind, o.name, case when r.operator_id is null then null else x.recipient end as address,
       x.subject, x.text_body, x.html_body, x.state, x.created_at, x.sent_at
     from mails as x
     join account_operators as m on m.account_id = x.account_id and m.operator_id = $2
     join operators as o on o.operator_id = x.operator_id
     left join account_operators as r on r.account_id = x.account_id and r.operator_id = x.operator_id
     where x.mail_id = $1`,
    [mailId, operatorId],
  );
  const row = rows[0];
  return (
    row && {
      mailId: row.mail_id,
      certificateId: row.certificate_id,
      kind: row.kind,
      recipientName: row.name,
      address: row.address ?? undefined,
      subject: row.subject,
      text: row.text_body,
      html: row.html_body,
      state: row.state,
      createdAt: row.created_at,
      sentAt: row.sent_at ?? undefined,
    }
  );
}
