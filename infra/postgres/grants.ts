import type { GrantFacts } from '../../domain/facts.ts';
import {
  isAboveWarning,
  timeWarningStartsAt,
  type BindingLimit,
  type EndReason,
  type Grant,
  type LapseReason,
} from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import { nextReminder, type DueReminder } from '../../domain/reminders.ts';
import type { RenewalState } from '../../domain/renewal.ts';
import type { Queryable } from './pool.ts';

/** A grant as stored, with the signatures counted under it. */
export type StoredGrant = {
  readonly grantId: string;
  readonly certificateId: string;
  readonly accountId: string;
  readonly grant: Grant;
  readonly bindingLimit: BindingLimit;
  readonly used: number;
  readonly successorId: string | undefined;
  readonly lapseReason: LapseReason | undefined;
  readonly servicesSuspendedAt: Date | undefined;
};

export type GrantRow = {
  grant_id: string;
  certificate_id: string;
  account_id: string;
  effective_at: Date;
  expires_at: Date;
  allowance: number;
  ends_with_certificate: boolean;
  binding_limit: BindingLimit;
  ended_at: Date | null;
  end_reason: EndReason | null;
  successor_id: string | null;
  lapse_reason: LapseReason | null;
  services_suspended_at: Date | null;
  used: number;
};

/** Of `access_grants as g left join usage_counters as u`. */
export const grantColumns = `
  g.grant_id, g.certificate_id, g.account_id, g.effective_at, g.expires_at, g.allowance, g.ends_with_certificate,
  g.binding_limit, g.ended_at, g.end_reason, g.successor_id, g.lapse_reason, g.services_suspended_at,
  coalesce(u.used, 0) as used`;

export async function findGrant(
  queryable: Queryable,
  grantId: string,
): Promise<StoredGrant | undefined> {
  return first(queryable, 'g.grant_id = $1', grantId);
}

/** The grant that the certificate's standing is told by: the latest, whether still in force or not. */
export async function findLatestGrant(
  queryable: Queryable,
  certificateId: string,
): Promise<StoredGrant | undefined> {
  return first(queryable, 'g.certificate_id = $1 and g.successor_id is null', certificateId);
}

async function first(
  queryable: Queryable,
  condition: string,
  id: string,
): Promise<StoredGrant | undefined> {
  const { rows } = await queryable.query<GrantRow>(
    `select ${grantColumns} from access_grants as g
     left join usage_counters as u on u.grant_id = g.grant_id
     where ${condition}`,
    [id],
  );
  return rows[0] && grantFromRow(rows[0]);
}

export function grantFromRow(row: GrantRow): StoredGrant {
  return {
    grantId: row.grant_id,
    certificateId: row.certificate_id,
    accountId: row.account_id,
    grant: {
      effectiveAt: row.effective_at,
      expiresAt: row.expires_at,
      allowance: row.allowance,
      endsWithCertificate: row.ends_with_certificate,
      endedAt: row.ended_at ?? undefined,
      endReason: row.end_reason ?? undefined,
    },
    bindingLimit: row.binding_limit,
    used: row.used,
    successorId: row.successor_id ?? undefined,
    lapseReason: row.lapse_reason ?? undefined,
    servicesSuspendedAt: row.services_suspended_at ?? undefined,
  };
}

type FactsRow = Omit<GrantRow, 'effective_at'> & {
  renewal_id: string;
  effective_at: Date | null;
  state: RenewalState;
  deadline_at: Date;
  code_window_ends_at: Date | null;
  authorization_ends_at: Date | null;
  time_zone: string;
  reminder_hour: number;
  usage_warned_at: Date | null;
  usage_announced_at: Date | null;
  lapse_announced_at: Date | null;
  refusal_owed: boolean;
  last_reminder_slot: string | null;
  revoke_at: Date | null;
};

/** Facts that are over cannot be found: there is no renewal with this id. */
export async function loadFacts(
  queryable: Queryable,
  grantId: string,
  now: Date,
  policy: Policy,
): Promise<GrantFacts | undefined> {
  const { rows } = await queryable.query<FactsRow>(
    `select r.renewal_id, r.certificate_id, r.account_id, r.state, r.deadline_at, r.code_window_ends_at, r.authorization_ends_at,
       a.time_zone, a.reminder_hour,
       g.effective_at, g.expires_at, g.allowance, g.ends_with_certificate, g.binding_limit, g.ended_at, g.end_reason, g.successor_id,
       g.lapse_reason, g.services_suspended_at, g.usage_announced_at, g.lapse_announced_at, g.last_reminder_slot,
       coalesce(g.refusal_reported_at > coalesce(g.refusal_announced_at, '-infinity'), false) as refusal_owed,
       coalesce(u.used, 0) as used, t.reached_at as usage_warned_at,
       (select min(o.revoke_at) from access_grants as o
        where o.certificate_id = r.certificate_id and o.revoked_at_ca_at is null) as revoke_at
     from renewals as r
     join accounts as a on a.account_id = r.account_id
     left join access_grants as g on g.grant_id = r.renewal_id
     left join usage_counters as u on u.grant_id = g.grant_id
     left join usage_thresholds as t on t.grant_id = g.grant_id and t.percent < 100
     where r.renewal_id = $1`,
    [grantId],
  );
  return rows[0] && factsFromRow(rows[0], now, policy);
}

function factsFromRow(row: FactsRow, now: Date, policy: Policy): GrantFacts {
  const instant = (at: Date) => at.toISOString();
  const facts: GrantFacts = {
    v: 1,
    grantId: row.renewal_id,
    accountId: row.account_id,
    certificateId: row.certificate_id,
    renewal: {
      state: row.state,
      deadlineAt: instant(row.deadline_at),
      ...(row.code_window_ends_at && { codeWindowEndsAt: instant(row.code_window_ends_at) }),
      ...(row.authorization_ends_at && { authorizationEndsAt: instant(row.authorization_ends_at) }),
    },
    done: {},
  };
  if (row.effective_at === null) return facts;
  const reminder = dueReminderOf({ ...row, effective_at: row.effective_at }, now, policy);
  return {
    ...facts,
    grant: {
      effectiveAt: instant(row.effective_at),
      expiresAt: instant(row.expires_at),
      ...(row.ends_with_certificate && { endsWithCertificate: true }),
      allowance: row.allowance,
      used: row.used,
      ...(row.ended_at && { endedAt: instant(row.ended_at) }),
      ...(row.end_reason && { endReason: row.end_reason }),
    },
    done: {
      ...(row.usage_announced_at && { usageAnnounced: true }),
      ...(row.services_suspended_at && { servicesSuspended: true }),
      ...(row.lapse_announced_at && { lapseAnnounced: true }),
    },
    ...(reminder && { reminderAt: instant(reminder.dueAt) }),
    ...(row.refusal_owed && { refusalReported: true }),
    ...(row.revoke_at && row.successor_id === null && { revokeAt: instant(row.revoke_at) }),
    ...(row.successor_id !== null && { superseded: true }),
  };
}

/** What the reminder of a grant depends on, as columns. */
export type ReminderRow = Pick<FactsRow, 'expires_at' | 'allowance' | 'used'> & {
  effective_at: Date;
  time_zone: string;
  reminder_hour: number;
  usage_warned_at: Date | null;
  last_reminder_slot: string | null;
};

/** The reminder due next, from the week before the expiry or from the crossing of 90 %, whichever was first (DESIGN 5). */
export function dueReminderOf(
  row: ReminderRow,
  now: Date,
  policy: Policy,
): DueReminder | undefined {
  const byTime = timeWarningStartsAt(
    { effectiveAt: row.effective_at, expiresAt: row.expires_at },
    policy,
  );
  const byUsage = isAboveWarning(row.used, row.allowance, policy)
    ? (row.usage_warned_at ?? now)
    : byTime;
  const startsAt = byUsage < byTime ? byUsage : byTime;
  return nextReminder(
    { startsAt, endsAt: row.expires_at },
    { timeZone: row.time_zone, reminderHour: row.reminder_hour },
    row.last_reminder_slot ?? undefined,
    now,
  );
}
