import type { Context } from 'koa';
import { Problem } from '../../domain/errors.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  createSession,
  endSession,
  endSessions,
  useSession,
  type SessionLimits,
} from '../../infra/postgres/sessions.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Authentication } from '../shared/route.ts';
import type { Cookies } from './cookies.ts';
import { makeKnown } from './known-browser.ts';

export type Caller = { readonly operatorId: string; readonly sessionId: string };

export const sessionCookie = 'session';
export const attemptCookie = (renewalId: string) => `renewal-${renewalId}`;

/** Cookie session: the browser holds the secret, the database its hash. */
export function createSessionAuthentication(
  database: Database,
  clock: Clock,
  limits: SessionLimits,
  cookies: Cookies,
): Authentication<Caller> {
  return {
    scheme: 'session',
    definition: { type: 'apiKey', in: 'cookie', name: cookies.nameOf(sessionCookie) },
    problems: ['session_required', 'cross_site_request', 'unavailable'],
    async authenticate(ctx: Context) {
      const secret = cookies.read(ctx, sessionCookie);
      if (secret === undefined) throw new Problem('session_required');
      const session = await useSession(database, secret, limits, clock.now());
      if (session === undefined) throw new Problem('session_required');
      return session;
    },
  };
}

export type SessionStart = { readonly limits: SessionLimits; readonly cookies: Cookies };

/** Signs the operator in, in the transaction of what entitles them to it; answers the cookies that the browser is to keep. */
export async function startSession(
  tx: Queryable,
  ctx: Context,
  operatorId: string,
  now: Date,
  { limits, cookies }: SessionStart,
): Promise<string[]> {
  // The session that this browser had is over: it gets a new secret each time.
  const before = cookies.read(ctx, sessionCookie);
  const old = before === undefined ? undefined : await useSession(tx, before, limits, now);
  const userAgent = presentUserAgent(ctx.get('user-agent'));
  const { secret, session } = await createSession(tx, { operatorId, userAgent }, now);
  if (old !== undefined) {
    await endSession(tx, old.sessionId, now);
    await recordAudit(tx, {
      at: now,
      actor: `operator:${operatorId}`,
      action: 'session_ended',
      subject: `session:${old.sessionId}`,
      details: { replacedBy: session.sessionId },
    });
  }
  await recordAudit(tx, {
    at: now,
    actor: `operator:${operatorId}`,
    action: 'signed_in',
    subject: `session:${session.sessionId}`,
  });
  return [
    cookies.set(sessionCookie, secret, { maxAgeSeconds: limits.absoluteSeconds }),
    await makeKnown(tx, ctx, operatorId, cookies, now),
  ];
}

const userAgentLength = 300;

/** What the browser calls itself, harmless to show; undefined when it says nothing. */
function presentUserAgent(header: string): string | undefined {
  const line = header.replaceAll(/[\p{Cc}\p{Cf}]/gu, '').trim();
  return line === '' ? undefined : line.slice(0, userAgentLength);
}

/** Ends a session of the caller's own, with its audit event; answers whether it was open until now. */
export async function endOwnSession(
  database: Database,
  caller: Caller,
  sessionId: string,
  now: Date,
): Promise<boolean> {
  return inTransaction(database, async (tx) => {
    const wasOpen = await endSession(tx, sessionId, now);
    if (wasOpen) {
      await recordAudit(tx, {
        at: now,
        actor: `operator:${caller.operatorId}`,
        action: sessionId === caller.sessionId ? 'signed_out' : 'session_ended',
        subject: `session:${sessionId}`,
      });
    }
    return wasOpen;
  });
}

/** Ends all sessions of the caller's own but the present one, with one audit event. */
export async function endOtherSessions(
  database: Database,
  { operatorId, sessionId }: Caller,
  now: Date,
): Promise<void> {
  await inTransaction(database, async (tx) => {
    const endedSessions = await endSessions(tx, operatorId, now, sessionId);
    if (endedSessions === 0) return;
    await recordAudit(tx, {
      at: now,
      actor: `operator:${operatorId}`,
      action: 'other_sessions_ended',
      subject: `operator:${operatorId}`,
      details: { endedSessions },
    });
  });
}
