import type { Clock } from '../../domain/clock.ts';
import type { Policy } from '../../domain/policy.ts';
import { recordAudit } from './audit.ts';
import { inTransaction, type Database, type Queryable } from './pool.ts';
import { chargeGrants, type Charge, type Crossing } from './usage-counters.ts';

/** Signatures of one certificate made within one second, as far as their signers named the same grant. */
export type Attributable = {
  readonly certificateId: string;
  readonly grantId: string | undefined;
  /** Unix time. */
  readonly second: number;
  readonly signatures: number;
};

export type Attributed = {
  /** One per grant. */
  readonly charges: readonly Charge[];
  readonly unattributed: readonly Attributable[];
};

/**
 * The grant that a signature counts on: the one that its signer names, if it is one of this certificate; else the one whose span [effective_at, ended or
 * expired) holds its second. So what comes late counts on the grant it was made under, never on its successor. `x` has certificate_id, claimed_grant_id and
 * event_second.
 */
const grantOfSignature = `
  lateral (
    select coalesce(
      (select g.grant_id from access_grants as g where g.grant_id = x.claimed_grant_id and g.certificate_id = x.certificate_id),
      (select g.grant_id from access_grants as g
       where g.certificate_id = x.certificate_id and g.effective_at <= x.event_second
         and x.event_second < coalesce(g.ended_at, g.expires_at))
    ) as grant_id
  ) as a`;

export async function attribute(
  tx: Queryable,
  attributables: readonly Attributable[],
): Promise<Attributed> {
  if (attributables.length === 0) return { charges: [], unattributed: [] };
  const { rows } = await tx.query<{ grant_id: string | null }>(
    `with x as (
       select u.certificate_id, u.claimed_grant_id, to_timestamp(u.second) as event_second, u.ordinal
       from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as u (certificate_id, claimed_grant_id, second, ordinal)
     )
     select a.grant_id from x cross join ${grantOfSignature} order by x.ordinal`,
    [
      attributables.map(({ certificateId }) => certificateId),
      attributables.map(({ grantId }) => grantId ?? null),
      attributables.map(({ second }) => second),
    ],
  );
  const grantOf = (index: number) => rows[index]?.grant_id ?? undefined;
  return {
    charges: sumByGrant(
      attributables.flatMap(({ second, signatures }, index) => {
        const grantId = grantOf(index);
        return grantId === undefined ? [] : [{ grantId, signatures, lastSecond: second }];
      }),
    ),
    unattributed: attributables.filter((_, index) => grantOf(index) === undefined),
  };
}

function sumByGrant(charges: readonly Charge[]): Charge[] {
  const sums = new Map<string, Charge>();
  for (const { grantId, signatures, lastSecond } of charges) {
    const sum = sums.get(grantId);
    sums.set(grantId, {
      grantId,
      signatures: signatures + (sum?.signatures ?? 0),
      lastSecond: Math.max(lastSecond, sum?.lastSecond ?? lastSecond),
    });
  }
  return [...sums.values()];
}

/** Keeps signatures for which there is no grant, so that none is lost. */
export async function insertSuspense(
  tx: Queryable,
  unattributed: readonly Attributable[],
): Promise<void> {
  if (unattributed.length === 0) return;
  await tx.query(
    `insert into usage_suspense (certificate_id, claimed_grant_id, event_second, signatures)
     select s.certificate_id, s.claimed_grant_id, to_timestamp(s.second), s.signatures
     from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as s (certificate_id, claimed_grant_id, second, signatures)`,
    [
      unattributed.map(({ certificateId }) => certificateId),
      unattributed.map(({ grantId }) => grantId ?? null),
      unattributed.map(({ second }) => second),
      unattributed.map(({ signatures }) => signatures),
    ],
  );
}

export type Settled = { readonly signatures: number; readonly crossings: readonly Crossing[] };

/**
 * Charges the signatures in suspense whose grant has appeared since, with the same thresholds as those counted at once. Several processes may do it at the
 * same time: each takes other rows.
 */
export function settleSuspense({
  database,
  policy,
  clock,
}: {
  readonly database: Database;
  readonly policy: Policy;
  readonly clock: Clock;
}): Promise<Settled> {
  return inTransaction(database, async (tx) => {
    const { rows } = await tx.query<{
      suspense_id: number;
      certificate_id: string;
      account_id: string;
      grant_id: string;
      signatures: number;
      second: number;
    }>(
      `select x.suspense_id, x.certificate_id, o.account_id, a.grant_id, x.signatures,
         extract(epoch from x.event_second)::bigint as second
       from usage_suspense as x cross join ${grantOfSignature}
       join access_grants as o on o.grant_id = a.grant_id
       where x.settled_at is null
       order by x.suspense_id limit 5000 for update of x skip locked`,
    );
    if (rows.length === 0) return { signatures: 0, crossings: [] };
    const now = clock.now();
    await tx.query(
      `update usage_suspense as s set settled_grant_id = d.grant_id, settled_at = $3
       from unnest($1::bigint[], $2::text[]) as d (suspense_id, grant_id)
       where s.suspense_id = d.suspense_id`,
      [rows.map((row) => row.suspense_id), rows.map((row) => row.grant_id), now],
    );
    const charges = sumByGrant(
      rows.map((row) => ({
        grantId: row.grant_id,
        signatures: row.signatures,
        lastSecond: row.second,
      })),
    );
    const crossings = await chargeGrants(tx, charges, { policy, now });
    const rowOf = new Map(rows.map((row) => [row.grant_id, row]));
    for (const { grantId, signatures } of charges) {
      await recordAudit(tx, {
        at: now,
        actor: 'process:usage',
        action: 'usage_suspense_settled',
        accountId: rowOf.get(grantId)?.account_id,
        certificateId: rowOf.get(grantId)?.certificate_id,
        subject: `access_grant:${grantId}`,
        details: { signatures },
      });
    }
    return { signatures: charges.reduce((sum, each) => sum + each.signatures, 0), crossings };
  });
}
