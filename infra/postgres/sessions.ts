import { randomUUID } from 'node:crypto';
import type { Queryable } from './pool.ts';
import { hashSecret, newSecret } from './sealing.ts';

/** A session ends when it was not used for the one, and in any case after the other. */
export type SessionLimits = { readonly idleSeconds: number; readonly absoluteSeconds: number };
export type Session = { readonly sessionId: string; readonly operatorId: string };

/** Being used is written down no more often than this. */
const touchMs = 60_000;

/** A new session with a secret of its own, which only the browser keeps. */
export async function createSession(
  queryable: Queryable,
  { operatorId, userAgent }: { operatorId: string; userAgent: string | undefined },
  now: Date,
): Promise<{ secret: string; session: Session }> {
  const secret = newSecret();
  const sessionId = randomUUID();
  await queryable.query(
    `insert into sessions (session_hash, session_id, operator_id, user_agent, created_at, last_seen_at)
     values ($1, $2, $3, $4, $5, $5)`,
    [hashSecret(secret), sessionId, operatorId, userAgent ?? null, now],
  );
  return { secret, session: { sessionId, operatorId } };
}

/** The session of this secret, if it has not ended; its use is noted. */
export async function useSession(
  queryable: Queryable,
  secret: string,
  limits: SessionLimits,
  now: Date,
): Promise<Session | undefined> {
  const hash = hashSecret(secret);
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const { rows } = await queryable.query<{
    session_id: string;
    operator_id: string;
    last_seen_at: Date;
  }>(
    `select s.session_id, s.operator_id, s.last_seen_at from sessions as s
     where s.session_hash = $1 and s.ended_at is null and s.last_seen_at > $2 and s.created_at > $3`,
    [hash, before(limits.idleSeconds), before(limits.absoluteSeconds)],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (now.getTime() - row.last_seen_at.getTime() > touchMs) {
    await queryable.query(
      `update sessions as s set last_seen_at = greatest(s.last_seen_at, $2)
       where s.session_hash = $1 and s.ended_at is null`,
      [hash, now],
    );
  }
  return { sessionId: row.session_id, operatorId: row.operator_id };
}

export type OpenSession = {
  readonly sessionId: string;
  readonly createdAt: Date;
  /** To the minute. */
  readonly lastSeenAt: Date;
  /** When it ends if it is not used any more. */
  readonly endsAt: Date;
  /** What the browser called itself at the sign-in. */
  readonly userAgent: string | undefined;
};

/** The operator's sessions that have not ended, last used first. */
export async function listSessions(
  queryable: Queryable,
  operatorId: string,
  limits: SessionLimits,
  now: Date,
): Promise<OpenSession[]> {
  const { rows } = await queryable.query<{
    session_id: string;
    created_at: Date;
    last_seen_at: Date;
    user_agent: string | null;
  }>(
    `select s.session_id, s.created_at, s.last_seen_at, s.user_agent
     from sessions as s
     where s.operator_id = $1 and s.ended_at is null
     order by s.last_seen_at desc, s.created_at desc, s.session_id`,
    [operatorId],
  );
  const { idleSeconds, absoluteSeconds } = limits;
  return rows
    .map((row) => {
      const idleEnd = row.last_seen_at.getTime() + idleSeconds * 1000;
      const absoluteEnd = row.created_at.getTime() + absoluteSeconds * 1000;
      return {
        sessionId: row.session_id,
        createdAt: row.created_at,
        lastSeenAt: row.last_seen_at,
        endsAt: new Date(Math.min(idleEnd, absoluteEnd)),
        userAgent: row.user_agent ?? undefined,
      };
    })
    .filter(({ endsAt }) => endsAt > now);
}

/** Answers whether it was open until now. */
export async function endSession(
  queryable: Queryable,
  sessionId: string,
  now: Date,
): Promise<boolean> {
  const { rowCount } = await queryable.query(
    'update sessions as s set ended_at = $2 where s.session_id = $1 and s.ended_at is null',
    [sessionId, now],
  );
  return rowCount === 1;
}

/** Every session of the operator, but for one that is to go on. Answers how many were open. */
export async function endSessions(
  tx: Queryable,
  operatorId: string,
  now: Date,
  keepSessionId?: string,
): Promise<number> {
  const { rowCount } = await tx.query(
    `update sessions as s set ended_at = $2
     where s.operator_id = $1 and s.ended_at is null and s.session_id is distinct from $3`,
    [operatorId, now, keepSessionId ?? null],
  );
  return rowCount ?? 0;
}

/** Ends every session of somebody who is an operator of no account any more; answers how many were open. */
export async function endSessionsOfNobody(
  tx: Queryable,
  operatorId: string,
  now: Date,
): Promise<number> {
  const { rowCount } = await tx.query(
    `update sessions as s set ended_at = $2
     where s.operator_id = $1 and s.ended_at is null
       and not exists (select from account_operators as m where m.operator_id = $1)`,
    [operatorId, now],
  );
  return rowCount ?? 0;
}

/** Removes sessions that ended before, by themselves or not. */
export async function removeEndedSessions(
  queryable: Queryable,
  { idleSeconds, absoluteSeconds }: SessionLimits,
  endedBefore: Date,
): Promise<void> {
  const before = (seconds: number) => new Date(endedBefore.getTime() - seconds * 1000);
  await queryable.query(
    `delete from sessions as s where s.ended_at <= $1 or s.last_seen_at <= $2 or s.created_at <= $3`,
    [endedBefore, before(idleSeconds), before(absoluteSeconds)],
  );
}
