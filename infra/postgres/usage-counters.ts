import { isAboveWarning } from '../../domain/grant.ts';
import type { Policy } from '../../domain/policy.ts';
import { recordAudit } from './audit.ts';
import { signalGrant } from './outbox.ts';
import type { Queryable } from './pool.ts';

/** Signatures that a grant is to be charged with. */
export type Charge = {
  readonly grantId: string;
  readonly signatures: number;
  /** Second of the last of them, in Unix time. */
  readonly lastSecond: number;
};

/** A limit that a grant was found at or above for the first time. */
export type Crossing = {
  readonly grantId: string;
  readonly percent: number;
  readonly used: number;
};

type Charged = {
  readonly grant_id: string;
  readonly used: number;
  readonly allowance: number;
  readonly account_id: string;
  readonly certificate_id: string;
  readonly is_superseded: boolean;
};

/**
 * Adds to the counters and sees to the thresholds that are reached now: recorded once per grant, told to the grant's workflow and audited, all in the
 * caller's transaction. Counters are locked in the order of grant ids, so that two transactions never wait for each other.
 *
 * It does not take the certificate's lock: whether a certificate may sign is compared with the counter when a signature is asked for (DESIGN 2.1), so nothing
 * is decided here, only added. A renewal that is recorded meanwhile holds that lock and reads the counter without locking it; the counter's foreign key takes a
 * lock on the grant's row that goes with changes of its columns. So neither waits for the other. A threshold of a grant that has been superseded is
 * recorded and audited all the same; its workflow has ended, and hearing of it changes nothing.
 */
export async function chargeGrants(
  tx: Queryable,
  charges: readonly Charge[],
  { policy, now }: { readonly policy: Policy; readonly now: Date },
): Promise<Crossing[]> {
  if (charges.length === 0) return [];
  const { rows } = await tx.query<Charged>(
    `with charged as (
       insert into usage_counters as c (grant_id, used, last_event_at)
       select d.grant_id, d.signatures, to_timestamp(d.last_second)
       from unnest($1::text[], $2::bigint[], $3::bigint[]) as d (grant_id, signatures, last_second)
       order by d.grant_id
       on conflict (grant_id) do update
       set used = c.used + excluded.used, last_event_at = greatest(c.last_event_at, excluded.last_event_at)
       returning c.grant_id, c.used
     )
     select c.grant_id, c.used, g.allowance, g.account_id, g.certificate_id, g.successor_id is not null as is_superseded
     from charged as c join access_grants as g on g.grant_id = c.grant_id
     order by c.grant_id`,
    [
      charges.map(({ grantId }) => grantId),
      charges.map(({ signatures }) => signatures),
      charges.map(({ lastSecond }) => lastSecond),
    ],
  );
  const crossings: Crossing[] = [];
  for (const charged of rows) {
    for (const percent of percentsReached(charged, policy)) {
      const isNew = await recordThreshold(tx, charged, percent, now);
      if (isNew) crossings.push({ grantId: charged.grant_id, percent, used: charged.used });
    }
  }
  return crossings;
}

function percentsReached({ used, allowance }: Charged, policy: Policy): number[] {
  const percents: number[] = [];
  if (isAboveWarning(used, allowance, policy)) percents.push(policy.usageWarningPercent);
  if (used >= allowance) percents.push(100);
  return percents;
}

/** True when it was not known before. A grant is warned about once, even where the percentage was configured anew since. */
async function recordThreshold(
  tx: Queryable,
  charged: Charged,
  percent: number,
  now: Date,
): Promise<boolean> {
  const { grant_id: grantId, used, allowance } = charged;
  const { rowCount } = await tx.query(
    `insert into usage_thresholds (grant_id, percent, used, reached_at)
     select $1::text, $2::smallint, $3::bigint, $4::timestamptz
     where not exists (
       select from usage_thresholds as t where t.grant_id = $1 and (t.percent < 100) = ($2::smallint < 100)
     )
     on conflict (grant_id, percent) do nothing`,
    [grantId, percent, used, now],
  );
  if (rowCount === 0) return false;
  await signalGrant(tx, 'usage', grantId, { name: 'usageReached', payload: { percent } }, now);
  await recordAudit(tx, {
    at: now,
    actor: 'process:usage',
    action: 'usage_threshold_reached',
    accountId: charged.account_id,
    certificateId: charged.certificate_id,
    subject: `access_grant:${grantId}`,
    details: { percent, used, allowance, ...(charged.is_superseded && { superseded: true }) },
  });
  return true;
}
