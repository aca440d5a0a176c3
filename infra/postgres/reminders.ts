import { createHash, randomUUID } from 'node:crypto';
import { localDateOf } from '../../domain/calendar.ts';
import type { Clock } from '../../domain/clock.ts';
import {
  isAboveWarning,
  standingOf,
  type BindingLimit,
  type EndReason,
  type LapseReason,
  type Standing,
  type Warning,
} from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import { recordAudit } from './audit.ts';
import { dueReminderOf } from './grants.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';

type NoticeKind = 'reminder' | 'usage_warning' | 'lapsed' | 'ca_refusal';

type Notice = {
  readonly grantId: string;
  readonly kind: NoticeKind;
  readonly slot: string;
  /** Operators of the account who were not told yet. */
  readonly operatorIds: readonly string[];
  readonly operatorCount: number;
};

/** What a mail is made from, but for its link. */
export type NoticeContent = {
  readonly account: { readonly name: string; readonly timeZone: string };
  readonly operator: { readonly name: string; readonly locale: string };
  readonly certificate: { readonly id: string; readonly alias: string };
  readonly authority: { readonly name: string };
  readonly now: Date;
  readonly grant: {
    readonly effectiveAt: Date;
    readonly expiresAt: Date;
    readonly allowance: number;
    readonly used: number;
    readonly bindingLimit: BindingLimit;
  };
} & (
  | { readonly kind: 'reminder'; readonly warnings: readonly Warning[] }
  | { readonly kind: 'usage_warning' }
  | {
      readonly kind: 'lapsed';
      readonly reason: LapseReason;
      readonly lapsedAt: Date;
      readonly revokedBy?: string;
      readonly suspendedServices: readonly string[];
    }
  | { readonly kind: 'ca_refusal'; readonly reportedAt: Date }
);

type Claim = {
  readonly operatorId: string;
  readonly messageId: string;
  readonly threadId: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly content: NoticeContent;
};

export type Notices = {
  findDue(grantId: string, kind: NoticeKind): Promise<Notice | undefined>;
  claim(notice: Notice, operatorId: string): Promise<Claim | undefined>;
  recordText(
    notice: Notice,
    claim: Claim,
    mail: { readonly subject: string; readonly text: string; readonly html: string },
  ): Promise<void>;
  recordResult(
    notice: Notice,
    claim: Claim,
    sent: { readonly result: 'accepted' | 'refused' | 'failed'; readonly reason?: string },
  ): Promise<void>;
  settle(notice: Notice): Promise<void>;
};

const usualClaimMs = 120_000;

type GrantRow = {
  grant_id: string;
  account_id: string;
  account_name: string;
  time_zone: string;
  reminder_hour: number;
  certificate_id: string;
  alias: string;
  authority_name: string;
  effective_at: Date;
  expires_at: Date;
  allowance: number;
  used: number;
  ends_with_certificate: boolean;
  binding_limit: BindingLimit;
  ended_at: Date | null;
  end_reason: EndReason | null;
  lapse_reason: LapseReason | null;
  services_suspended_at: Date | null;
  usage_announced_at: Date | null;
  lapse_announced_at: Date | null;
  refusal_reported_at: Date | null;
  refusal_owed: boolean;
  last_reminder_slot: string | null;
  usage_warned_at: Date | null;
  used_up_at: Date | null;
  revoked_by: string | null;
};

/**
 * Who is told what about a grant, at most once per operator, kind and slot. `messageIdDomain` is the right-hand side of message ids.
 * Whether something is (still) to be told is asked before every single mail, at PostgreSQL's time.
 */
export function createNotices(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly messageIdDomain: string;
  /** Longer than one mail takes at the most, so that a claim ends only when its holder is gone. */
  readonly claimMs?: number | undefined;
}): Notices {
  const { database, clock, policy, messageIdDomain, claimMs = usualClaimMs } = deps;

  return {
    async findDue(grantId, kind) {
      const now = clock.now();
      const row = await findGrantRow(database, grantId);
      const slot = row && dueSlot(row, kind, now, policy);
      if (row === undefined || slot === undefined) return undefined;
      const { rows } = await database.query<{ operator_id: string; told: boolean; held: boolean }>(
        `select o.operator_id, (i.state is not null and i.state <> 'claimed') as told,
           ($2 = 'reminder' and $4 and (w.state is null or w.state = 'claimed')) as held
         from account_operators as o
         left join reminder_items as i
           on i.operator_id = o.operator_id and i.grant_id = $1 and i.kind = $2 and i.slot = $3
         left join reminder_items as w
           on w.operator_id = o.operator_id and w.grant_id = $1 and w.kind = 'usage_warning'
         where o.account_id = $5
         order by o.operator_id`,
        // Who is still owed the usage warning gets that one: it counts as the day's.
        [grantId, kind, slot, usageWarningOwed(row, policy), row.account_id],
      );
      return {
        grantId,
        kind,
        slot,
        operatorCount: rows.length,
        operatorIds: rows.filter((o) => !o.told && !o.held).map((o) => o.operator_id),
      };
    },

    async claim({ grantId, kind, slot }, operatorId) {
      const now = clock.now();
      const row = await findGrantRow(database, grantId);
      if (row === undefined || dueSlot(row, kind, now, policy) !== slot) return undefined;
      const { rows } = await database.query<{ name: string; email: string; locale: string }>(
        `with claimed as (
           insert into reminder_items as i (operator_id, grant_id, kind, slot, state, claim_ends_at)
           select o.operator_id, $2, $3, $4, 'claimed', $6
           from account_operators as o where o.operator_id = $1 and o.account_id = $7
           on conflict (operator_id, grant_id, kind, slot) do update
             set claim_ends_at = excluded.claim_ends_at, attempts = i.attempts + 1
             where i.state = 'claimed' and i.claim_ends_at <= $5
           returning i.operator_id
         )
         select o.name, o.email, o.locale
         from claimed as c join operators as o on o.operator_id = c.operator_id`,
        [operatorId, grantId, kind, slot, now, new Date(now.getTime() + claimMs), row.account_id],
      );
      const operator = rows[0];
      if (operator === undefined) return undefined;
      return {
        operatorId,
        messageId: `${digest(operatorId, grantId, kind, slot)}@${messageIdDomain}`,
        threadId: `${digest(grantId)}@${messageIdDomain}`,
        to: { name: operator.name, address: operator.email },
        content: await contentOf(database, row, kind, operator, now, policy),
      };
    },

    async recordText({ kind, grantId, slot }, claim, { subject, text, html }) {
      const { content, operatorId, messageId, to } = claim;
      await inTransaction(database, async (tx) => {
        const { rows } = await tx.query<{ mail_id: string }>(
          `insert into mails (mail_id, account_id, operator_id, certificate_id, kind, message_id, recipient, subject,
             text_body, html_body, state, created_at)
           select $1, c.account_id, $2, c.certificate_id, $3, $4, $5, $6, $7, $8, 'sending', $9
           from certificates as c where c.certificate_id = $10
           on conflict (message_id) do update
             set recipient = excluded.recipient, subject = excluded.subject, text_body = excluded.text_body,
               html_body = excluded.html_body, state = 'sending', error = null
           returning mail_id`,
          [
            ...[randomUUID(), operatorId, kind, messageId, to.address, subject, text, html],
            ...[content.now, content.certificate.id],
          ],
        );
        await tx.query(
          `update reminder_items as i set mail_id = $5
           where i.operator_id = $1 and i.grant_id = $2 and i.kind = $3 and i.slot = $4`,
          [operatorId, grantId, kind, slot, rows[0]?.mail_id],
        );
      });
    },

    recordResult: (notice, claim, { result, reason }) =>
      inTransaction(database, async (tx) => {
        const { grantId, kind, slot } = notice;
        const { operatorId, messageId, content } = claim;
        const now = clock.now();
        await tx.query(
          `update mails as m
           set state = $2, error = $3, sent_at = case when $2 = 'accepted' then $4::timestamptz else m.sent_at end
           where m.message_id = $1`,
          [messageId, result, reason ?? null, now],
        );
        const state = { accepted: 'told', refused: 'undeliverable', failed: 'claimed' }[result];
        const item = [operatorId, grantId, kind, slot];
        await tx.query(
          `update reminder_items as i set state = $5, claim_ends_at = $6
           where i.operator_id = $1 and i.grant_id = $2 and i.kind = $3 and i.slot = $4 and i.state = 'claimed'`,
          [...item, state, now],
        );
        if (result === 'failed') return;
        if (kind === 'usage_warning') {
          const today = localDateOf(now, content.account.timeZone);
          await tx.query(
            `insert into reminder_items as i (operator_id, grant_id, kind, slot, state, claim_ends_at, mail_id)
             select w.operator_id, w.grant_id, 'reminder', $5, w.state, w.claim_ends_at, w.mail_id
             from reminder_items as w
             where w.operator_id = $1 and w.grant_id = $2 and w.kind = $3 and w.slot = $4
             on conflict (operator_id, grant_id, kind, slot) do update
               set state = excluded.state, mail_id = excluded.mail_id where i.state = 'claimed'`,
            [...item, today],
          );
        }
        if (result === 'refused') {
          await audit(tx, content.certificate.id, grantId, now, 'operator_undeliverable', {
            operatorId,
            ...{ kind, slot, reason },
          });
        }
      }),

    settle: ({ grantId, kind, slot }) =>
      inTransaction(database, async (tx) => {
        const row = await findGrantRow(tx, grantId);
        if (row === undefined) return;
        const now = clock.now();
        const today = localDateOf(now, row.time_zone);
        const count = await countTold(tx, row, kind, slot);
        if (count.pending > 0) return;
        const done = await markDone(tx, grantId, kind, slot, now);
        if (!done) return;
        if (
          kind === 'usage_warning' &&
          (await countTold(tx, row, 'reminder', today)).pending === 0
        ) {
          await markDone(tx, grantId, 'reminder', today, now);
        }
        const { told, undeliverable } = count;
        const nobody = told + undeliverable === 0;
        await audit(
          tx,
          row.certificate_id,
          grantId,
          now,
          nobody ? 'nobody_to_tell' : 'operators_told',
          {
            ...{ kind, slot, told, undeliverable },
          },
        );
      }),
  };
}

/** The slot that is to be told now, or undefined when it is not its time, is done, or is not true any more. */
function dueSlot(row: GrantRow, kind: NoticeKind, now: Date, policy: Policy): string | undefined {
  const inForce =
    standing(row, now, policy).kind !== 'lapsed' && row.services_suspended_at === null;
  switch (kind) {
    case 'reminder': {
      const due = inForce ? dueReminderOf(row, now, policy) : undefined;
      return due !== undefined && due.dueAt <= now ? due.slot : undefined;
    }
    case 'usage_warning':
      return inForce && usageWarningOwed(row, policy) ? 'once' : undefined;
    case 'lapsed':
      return row.services_suspended_at !== null && row.lapse_announced_at === null
        ? 'once'
        : undefined;
    case 'ca_refusal':
      // The day of the report, not of the try: who was told is not told again because a colleague could not be.
      return row.refusal_owed && row.refusal_reported_at !== null
        ? localDateOf(row.refusal_reported_at, row.time_zone)
        : undefined;
  }
}

function usageWarningOwed(row: GrantRow, policy: Policy): boolean {
  return row.usage_announced_at === null && isAboveWarning(row.used, row.allowance, policy);
}

function standing(row: GrantRow, now: Date, policy: Policy): Standing {
  return standingOf(
    {
      effectiveAt: row.effective_at,
      expiresAt: row.expires_at,
      allowance: row.allowance,
      endsWithCertificate: row.ends_with_certificate,
      endedAt: row.ended_at ?? undefined,
      endReason: row.end_reason ?? undefined,
    },
    row.used,
    now,
    policy,
  );
}

/** Of a grant without successor: nobody is told anything about one that was superseded. */
async function findGrantRow(queryable: Queryable, grantId: string): Promise<GrantRow | undefined> {
  const { rows } = await queryable.query<GrantRow>(
    `select g.grant_id, g.account_id, a.name as account_name, a.time_zone, a.reminder_hour, g.certificate_id, c.alias,
       ca.name as authority_name, g.effective_at, g.expires_at, g.allowance, coalesce(u.used, 0) as used,
       g.ends_with_certificate, g.binding_limit, g.ended_at, g.end_reason, g.lapse_reason, g.services_suspended_at,
       g.usage_announced_at, g.lapse_announced_at, g.refusal_reported_at,
       coalesce(g.refusal_reported_at > coalesce(g.refusal_announced_at, '-infinity'), false) as refusal_owed,
       g.last_reminder_slot, w.reached_at as usage_warned_at, f.reached_at as used_up_at, o.name as revoked_by
     from access_grants as g
     join accounts as a on a.account_id = g.account_id
     join certificates as c on c.certificate_id = g.certificate_id
     join certificate_authorities as ca on ca.authority_id = c.authority_id
     left join usage_counters as u on u.grant_id = g.grant_id
     left join usage_thresholds as w on w.grant_id = g.grant_id and w.percent < 100
     left join usage_thresholds as f on f.grant_id = g.grant_id and f.percent = 100
     left join operators as o on o.operator_id = g.ended_by
     where g.grant_id = $1 and g.successor_id is null`,
    [grantId],
  );
  return rows[0];
}

async function contentOf(
  queryable: Queryable,
  row: GrantRow,
  kind: NoticeKind,
  operator: { name: string; locale: string },
  now: Date,
  policy: Policy,
): Promise<NoticeContent> {
  const common = {
    account: { name: row.account_name, timeZone: row.time_zone },
    operator: { name: operator.name, locale: operator.locale },
    certificate: { id: row.certificate_id, alias: row.alias },
    authority: { name: row.authority_name },
    now,
    grant: {
      effectiveAt: row.effective_at,
      expiresAt: row.expires_at,
      allowance: row.allowance,
      used: row.used,
      bindingLimit: row.binding_limit,
    },
  };
  switch (kind) {
    case 'reminder': {
      const standingNow = standing(row, now, policy);
      const warnings = standingNow.kind === 'warned' ? standingNow.warnings : [];
      return { ...common, kind, warnings: warnings.length === 0 ? ['time'] : warnings };
    }
    case 'usage_warning':
      return { ...common, kind };
    case 'lapsed': {
      const { rows } = await queryable.query<{ alias: string }>(
        `select c.alias from suspensions as s
         join client_services as c on c.client_service_id = s.client_service_id
         where s.grant_id = $1 order by lower(c.alias)`,
        [row.grant_id],
      );
      const reason = row.lapse_reason ?? 'grant_expired';
      return {
        ...common,
        kind,
        reason,
        lapsedAt: lapsedAt(row, reason) ?? row.services_suspended_at ?? now,
        ...(reason === 'revoked' && row.revoked_by !== null && { revokedBy: row.revoked_by }),
        suspendedServices: rows.map(({ alias }) => alias),
      };
    }
    case 'ca_refusal':
      return { ...common, kind, reportedAt: row.refusal_reported_at ?? now };
  }
}

function lapsedAt(row: GrantRow, reason: LapseReason): Date | null {
  switch (reason) {
    case 'grant_expired':
    case 'certificate_ended':
      return row.expires_at;
    case 'allowance_exhausted':
      return row.used_up_at;
    case 'revoked':
    case 'ended_by_ca':
      return row.ended_at;
  }
}

type Told = { told: number; undeliverable: number; pending: number };

async function countTold(
  tx: Queryable,
  { grant_id, account_id }: GrantRow,
  kind: NoticeKind,
  slot: string,
): Promise<Told> {
  const { rows } = await tx.query<Told>(
    `select count(*) filter (where i.state = 'told') as told,
       count(*) filter (where i.state = 'undeliverable') as undeliverable,
       count(*) filter (where i.state is null or i.state = 'claimed') as pending
     from account_operators as o
     left join reminder_items as i
       on i.operator_id = o.operator_id and i.grant_id = $1 and i.kind = $2 and i.slot = $3
     where o.account_id = $4`,
    [grant_id, kind, slot, account_id],
  );
  return rows[0] ?? { told: 0, undeliverable: 0, pending: 0 };
}

const doneColumn = {
  usage_warning: 'usage_announced_at',
  lapsed: 'lapse_announced_at',
} as const;

/** Whether this call did it. */
async function markDone(
  tx: Queryable,
  grantId: string,
  kind: NoticeKind,
  slot: string,
  now: Date,
): Promise<boolean> {
  switch (kind) {
    case 'reminder': {
      // It never goes back: two that settle at midnight may come in either order.
      const { rowCount } = await tx.query(
        `update access_grants as g set last_reminder_slot = $2::date
         where g.grant_id = $1 and (g.last_reminder_slot is null or g.last_reminder_slot < $2::date)`,
        [grantId, slot],
      );
      return rowCount === 1;
    }
    case 'usage_warning':
    case 'lapsed': {
      const column = doneColumn[kind];
      const { rowCount } = await tx.query(
        `update access_grants as g set ${column} = $2 where g.grant_id = $1 and g.${column} is null`,
        [grantId, now],
      );
      return rowCount === 1;
    }
    case 'ca_refusal': {
      const { rowCount } = await tx.query(
        `update access_grants as g set refusal_announced_at = greatest(g.refusal_reported_at, $2)
         where g.grant_id = $1 and g.refusal_reported_at > coalesce(g.refusal_announced_at, '-infinity')`,
        [grantId, now],
      );
      return rowCount === 1;
    }
  }
}

async function audit(
  tx: Queryable,
  certificateId: string,
  grantId: string,
  now: Date,
  action: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { rows } = await tx.query<{ account_id: string }>(
    'select g.account_id from access_grants as g where g.grant_id = $1',
    [grantId],
  );
  await recordAudit(tx, {
    at: now,
    actor: 'process:worker',
    action,
    accountId: rows[0]?.account_id,
    certificateId,
    subject: `access_grant:${grantId}`,
    details,
  });
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
