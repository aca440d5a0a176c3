import { setTimeout as pause } from 'node:timers/promises';
import type { GrantFacts } from '../../domain/facts.ts';
import { nextStep } from '../../domain/next-step.ts';
import type { Policy } from '../../domain/policy.ts';
import { readSealingFigures } from '../../infra/postgres/audit-sealing.ts';
import { loadFacts } from '../../infra/postgres/grants.ts';
import { serviceNames, type System } from '../support/system.ts';
import { behindFacts } from './behind.ts';
import { policy, resume, type Installation } from './installation.ts';
import { describeWorkflow } from './temporal-view.ts';

const deadlineMs = 75_000;
const everyMs = 250;
/** Nothing is due for so long when everything is looked at, so that nothing comes due while it is. */
const calmMs = 4_000;

/** Ends every trouble and lets every process run. */
export async function heal({ system, proxies }: Installation): Promise<void> {
  await Promise.all([...proxies.values()].map((proxy) => proxy.set(undefined)));
  for (const service of serviceNames) resume(system, service);
}

/** Waits until nothing of these certificates is outstanding. Answers what still is at the deadline. */
export async function settle(
  installation: Installation,
  certificateIds: readonly string[],
  say: (line: string) => void,
): Promise<readonly string[]> {
  const startedAt = performance.now();
  let last = '';
  for (;;) {
    const outstanding = await whatIsOutstanding(installation, certificateIds);
    const passedMs = performance.now() - startedAt;
    if (outstanding.length === 0 || passedMs >= deadlineMs) return outstanding;
    const now = outstanding.join('; ');
    if (now !== last) say(`${(passedMs / 1000).toFixed(1)} s: ${now.slice(0, 300)}`);
    last = now;
    await pause(everyMs);
  }
}

async function whatIsOutstanding(
  installation: Installation,
  certificateIds: readonly string[],
): Promise<string[]> {
  const { system } = installation;
  const unready = await unreadyServices(system);
  if (unready.length > 0) return unready.map((service) => `${service} is not ready`);
  const facts = await factsOf(system.database, certificateIds);
  const now = new Date();
  const soon = new Date(now.getTime() + calmMs);
  const outstanding = [
    ...(await outstandingRows(system.database, certificateIds)),
    ...(await usageLag(installation)),
    ...(await unsealedEvents(system.database)),
    ...facts.flatMap((each) => {
      const step = nextStep(each, now, policy);
      if (step.kind === 'act') return [`${each.grantId} owes ${step.action}`];
      const isNear = step.kind === 'wait' && step.until !== undefined && step.until < soon;
      return isNear ? [`${each.grantId} is about to ${step.for ?? 'act'}`] : [];
    }),
  ];
  if (outstanding.length > 0) return outstanding;
  // Temporal is asked for each workflow, so only when the rest is done.
  const behind = await Promise.all(
    facts.map(async (each) =>
      behindFacts(each, await describeWorkflow(system, each.grantId), now, policy),
    ),
  );
  return behind.filter((each) => each !== undefined);
}

async function unreadyServices({ readyUrls }: System): Promise<string[]> {
  const answers = await Promise.all(
    serviceNames.map(async (service) => {
      try {
        const response = await fetch(readyUrls[service], { signal: AbortSignal.timeout(3_000) });
        await response.body?.cancel();
        return response.ok;
      } catch {
        return false;
      }
    }),
  );
  return serviceNames.filter((_, index) => answers[index] === false);
}

/** Open renewals, and rows of the outbox that wait. */
export async function outstandingRows(
  database: System['database'],
  certificateIds: readonly string[],
): Promise<string[]> {
  const { rows } = await database.query<{ what: string }>(
    `with mine as (select r.renewal_id, r.ended_at, r.state from renewals as r where r.certificate_id = any ($1))
     select 'renewal ' || m.renewal_id || ' is ' || m.state as what from mine as m where m.ended_at is null
     union all
     select 'outbox row ' || o.name || ' of ' || o.written_by || ' for ' || o.subject from outbox as o
     where o.delivered_at is null and o.set_aside_at is null
       and (o.subject = any ($1) or o.subject in (select m.renewal_id from mine as m))`,
    [certificateIds],
  );
  return rows.map(({ what }) => what);
}

async function unsealedEvents(database: System['database']): Promise<string[]> {
  const { unsealedCount } = await readSealingFigures(database);
  return unsealedCount === 0 ? [] : [`${unsealedCount} audit events are not sealed`];
}

async function usageLag({ system, signatures }: Installation): Promise<string[]> {
  const ends = await signatures.ends();
  const { rows } = await system.database.query<{ partition: number; next_offset: number }>(
    'select p.partition, p.next_offset from usage_positions as p where p.topic = $1',
    [system.kafka.topics.signatures],
  );
  const positions = new Map(rows.map((row) => [row.partition, row.next_offset]));
  return [...ends].flatMap(([partition, end]) => {
    const lag = end - (positions.get(partition) ?? 0);
    return lag > 0 ? [`${lag} records of partition ${partition} are not counted`] : [];
  });
}

/** Of every renewal of the certificates, as the workflows load them. */
export async function factsOf(
  database: System['database'],
  certificateIds: readonly string[],
  figures: Policy = policy,
): Promise<GrantFacts[]> {
  const { rows } = await database.query<{ renewal_id: string }>(
    'select r.renewal_id from renewals as r where r.certificate_id = any ($1) order by r.started_at',
    [certificateIds],
  );
  const facts = await Promise.all(
    rows.map(({ renewal_id: id }) => loadFacts(database, id, new Date(), figures)),
  );
  return facts.filter((each) => each !== undefined);
}
