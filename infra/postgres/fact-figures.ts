import { renewalOutcomes, type RenewalOutcome } from '../../domain/renewal.ts';
import type { Destination } from './outbox-relay.ts';
import type { Database } from './pool.ts';

const destinations = [
  'temporal',
  'kafka',
  'mail',
  'password_mail',
] as const satisfies readonly Destination[];
const mailStates = ['sending', 'accepted', 'refused', 'failed'] as const;
type MailState = (typeof mailStates)[number];

type OutboxFigures = {
  readonly destination: Destination;
  /** Up to `countLimit`. */
  readonly waiting: number;
  readonly setAside: number;
  /** Age of the row that waits longest; 0 when none waits. */
  readonly oldestSeconds: number;
};

/** Figures that are facts, the same whichever process counts them. */
export type FactFigures = {
  readonly outbox: readonly OutboxFigures[];
  readonly renewals: {
    readonly open: number;
    /** Open for more than a minute beyond the instant at which they were to be closed. */
    readonly overdue: number;
    readonly endedLastHour: ReadonlyMap<RenewalOutcome, number>;
  };
  readonly mails: {
    readonly lastHour: ReadonlyMap<MailState, number>;
    /** Tried, not taken by the mail server, and still true, of the last week. */
    readonly unsent: number;
    readonly oldestUnsentSeconds: number;
  };
};

/** Beyond it nobody needs to know how many there are, and counting on would cost. */
const countLimit = 10_000;
const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

/** Each question has an index of its own and looks at what is open, or at the last hour; see migration 0010. */
export async function loadFactFigures(database: Database, now: Date): Promise<FactFigures> {
  const ago = (ms: number): Date => new Date(now.getTime() - ms);
  const [outbox, renewals, ended, mails, unsent] = await Promise.all([
    countOutbox(database, now),
    database.query<{ open: number; overdue: number }>(
      `select count(*) as open, count(*) filter (where coalesce(r.authorization_ends_at, r.deadline_at) < $1) as overdue
       from renewals as r where r.ended_at is null`,
      [ago(minuteMs)],
    ),
    database.query<{ outcome: RenewalOutcome; ended: number }>(
      'select r.outcome, count(*) as ended from renewals as r where r.ended_at > $1 group by r.outcome',
      [ago(hourMs)],
    ),
    database.query<{ state: MailState; mails: number }>(
      'select m.state, count(*) as mails from mails as m where m.created_at > $1 group by m.state',
      [ago(hourMs)],
    ),
    // A mail that was overtaken (by the next day's, by the expiry, by a new grant) is not owed any more, whatever became of it.
    database.query<{ unsent: number; oldest: Date | null }>(
      `select count(*) as unsent, min(m.created_at) as oldest
       from mails as m
       join reminder_items as i on i.mail_id = m.mail_id and i.state = 'claimed'
       join access_grants as g on g.grant_id = i.grant_id and g.successor_id is null
       where m.state in ('sending', 'failed') and m.created_at > $1 and case i.kind
         when 'reminder' then m.created_at > $2 and g.services_suspended_at is null
         when 'usage_warning' then g.usage_announced_at is null and g.services_suspended_at is null
         when 'lapsed' then g.lapse_announced_at is null
         when 'ca_refusal' then g.refusal_reported_at > coalesce(g.refusal_announced_at, '-infinity')
         end`,
      [ago(7 * dayMs), ago(dayMs)],
    ),
  ]);
  const [renewal, unsentMails] = [renewals.rows[0], unsent.rows[0]];
  return {
    outbox,
    renewals: {
      open: renewal?.open ?? 0,
      overdue: renewal?.overdue ?? 0,
      endedLastHour: counts(
        Object.keys(renewalOutcomes) as RenewalOutcome[],
        ended.rows.map((row) => [row.outcome, row.ended]),
      ),
    },
    mails: {
      lastHour: counts(
        mailStates,
        mails.rows.map((row) => [row.state, row.mails]),
      ),
      unsent: unsentMails?.unsent ?? 0,
      oldestUnsentSeconds: ageOf(unsentMails?.oldest ?? null, now),
    },
  };
}

async function countOutbox(database: Database, now: Date): Promise<OutboxFigures[]> {
  const { rows } = await database.query<{
    destination: Destination;
    waiting: number;
    oldest: Date | null;
    set_aside: number;
  }>(
    `select d.destination, w.waiting, o.created_at as oldest, s.set_aside
     from unnest($1::text[]) as d (destination)
     cross join lateral (
       select count(*) as waiting from (
         select from outbox as o
         where o.destination = d.destination and o.delivered_at is null and o.set_aside_at is null
         limit $2
       ) as capped
     ) as w
     cross join lateral (
       select count(*) as set_aside from (
         select from outbox as o
         where o.destination = d.destination and o.delivered_at is null and o.set_aside_at is not null
         limit $2
       ) as capped
     ) as s
     left join lateral (
       select o.created_at from outbox as o
       where o.destination = d.destination and o.delivered_at is null and o.set_aside_at is null
       order by o.outbox_id limit 1
     ) as o on true`,
    [destinations, countLimit],
  );
  return rows.map(({ destination, waiting, oldest, set_aside }) => ({
    ...{ destination, waiting, setAside: set_aside },
    oldestSeconds: ageOf(oldest, now),
  }));
}

const ageOf = (since: Date | null, now: Date): number =>
  since === null ? 0 : Math.max(0, (now.getTime() - since.getTime()) / 1000);

/** Zero is told too: a series that comes and goes cannot be watched. */
function counts<K extends string>(
  all: readonly K[],
  found: readonly (readonly [K, number])[],
): ReadonlyMap<K, number> {
  return new Map<K, number>([...all.map((each) => [each, 0] as const), ...found]);
}
