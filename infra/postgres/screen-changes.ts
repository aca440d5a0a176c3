import { listenTo } from './listen.ts';
import type { Queryable } from './pool.ts';
import type { SessionLimits } from './sessions.ts';

/** What migration 0003 notifies; `everything` when changes may have been missed while the connection was down. */
export type ScreenChange =
  | { readonly kind: 'certificate'; readonly certificateId: string; readonly what: string }
  | { readonly kind: 'session_ended'; readonly sessionId: string }
  | { readonly kind: 'everything' };

export type ScreenChanges = {
  /** Answers how to stop being told. */
  subscribe(onChange: (change: ScreenChange) => void): () => void;
  stop(): Promise<void>;
};

/** One connection that listens for all screens of a process. */
export function followScreenChanges(options: {
  readonly url: string;
  readonly applicationName: string;
}): ScreenChanges {
  const subscribers = new Set<(change: ScreenChange) => void>();
  const listening = listenTo({ ...options, channel: 'screens_changed' }, (payload) => {
    const change = parseChange(payload);
    for (const subscriber of subscribers) subscriber(change);
  });
  return {
    subscribe(onChange) {
      subscribers.add(onChange);
      return () => void subscribers.delete(onChange);
    },
    stop: () => listening.stop(),
  };
}

/** What cannot be read is still a change. */
function parseChange(payload: string | undefined): ScreenChange {
  try {
    const { certificateId, what, endedSessionId } = JSON.parse(payload ?? '{}') as Readonly<
      Record<string, unknown>
    >;
    if (typeof endedSessionId === 'string') {
      return { kind: 'session_ended', sessionId: endedSessionId };
    }
    if (typeof certificateId === 'string' && typeof what === 'string') {
      return { kind: 'certificate', certificateId, what };
    }
  } catch {
    // As below.
  }
  return { kind: 'everything' };
}

/** Which of these operators may now see which of these certificates, as `<operator id> <certificate id>`. */
export async function findVisiblePairs(
  queryable: Queryable,
  operatorIds: readonly string[],
  certificateIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await queryable.query<{ operator_id: string; certificate_id: string }>(
    `select m.operator_id, c.certificate_id
     from certificates as c join account_operators as m on m.account_id = c.account_id
     where c.certificate_id = any($2) and m.operator_id = any($1)`,
    [operatorIds, certificateIds],
  );
  return new Set(rows.map((row) => `${row.operator_id} ${row.certificate_id}`));
}

/** Those of these sessions that have not ended. Looking is no use of a session: an open page does not keep one alive. */
export async function findLiveSessions(
  queryable: Queryable,
  sessionIds: readonly string[],
  limits: SessionLimits,
  now: Date,
): Promise<ReadonlySet<string>> {
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const { rows } = await queryable.query<{ session_id: string }>(
    `select s.session_id from sessions as s
     where s.session_id = any($1) and s.ended_at is null and s.last_seen_at > $2 and s.created_at > $3`,
    [sessionIds, before(limits.idleSeconds), before(limits.absoluteSeconds)],
  );
  return new Set(rows.map(({ session_id }) => session_id));
}
