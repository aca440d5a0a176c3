import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../../infra/postgres/pool.ts';
import type { Sighting } from './record.ts';

export type Watch = Sighting & { stop(): Promise<void> };

const everyMs = 100;

/** Looks at the facts of some certificates again and again, beside the services, so that it is known from when on something was surely so. */
export function watchFacts(database: Database, certificateIds: readonly string[]): Watch {
  const usedUpAt = new Map<string, number>();
  const supersededAt = new Map<string, number>();
  const notActive = new Map<string, { from: number; to: number }[]>();
  const wasActive = new Map<string, boolean>();
  const stopping = new AbortController();

  const look = async (): Promise<void> => {
    const beganAt = Date.now();
    const [grants, services] = await Promise.all([
      database.query<{ grant_id: string; is_used_up: boolean; is_superseded: boolean }>(
        `select g.grant_id, coalesce(u.used, 0) >= g.allowance as is_used_up, g.successor_id is not null as is_superseded
         from access_grants as g left join usage_counters as u on u.grant_id = g.grant_id
         where g.certificate_id = any ($1)`,
        [certificateIds],
      ),
      database.query<{ client_service_id: string; status: string }>(
        'select s.client_service_id, s.status from client_services as s where s.certificate_id = any ($1)',
        [certificateIds],
      ),
    ]);
    const seenAt = Date.now();
    for (const {
      grant_id: grantId,
      is_used_up: isUsedUp,
      is_superseded: isSuperseded,
    } of grants.rows) {
      if (isUsedUp && !usedUpAt.has(grantId)) usedUpAt.set(grantId, seenAt);
      if (isSuperseded && !supersededAt.has(grantId)) supersededAt.set(grantId, seenAt);
    }
    for (const { client_service_id: serviceId, status } of services.rows) {
      const isActive = status === 'active';
      if (!isActive) {
        const spans = notActive.get(serviceId) ?? [];
        notActive.set(serviceId, spans);
        const last = spans.at(-1);
        if (wasActive.get(serviceId) === false && last !== undefined) last.to = beganAt;
        else spans.push({ from: seenAt, to: seenAt });
      }
      wasActive.set(serviceId, isActive);
    }
  };
  const looking = (async () => {
    while (!stopping.signal.aborted) {
      // With the database away nothing is seen, and what was so before may have changed unseen.
      await look().catch(() => {
        wasActive.clear();
      });
      await pause(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    usedUpAt,
    supersededAt,
    notActive,
    async stop() {
      stopping.abort();
      await looking;
    },
  };
}
