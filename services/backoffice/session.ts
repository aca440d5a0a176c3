import type { Context } from 'koa';
import { Problem } from '../../domain/errors.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import {
  createSession,
  endSession,
  useSession,
  type SessionLimits,
} from '../../infra/postgres/sessions.ts';
import { inTransaction, type Database, type Queryable } from '../../infra/postgres/pool.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Authentication } from '../shared/route.ts';

export type Caller = { readonly operatorId: string; readonly sessionId: string };

export type CookieOptions = {
  readonly maxAgeSeconds: number;
  readonly path: string;
  readonly secure: boolean;
};

/** HttpOnly and SameSite=Lax: sent when the CA's page leads back here, not with what another site posts. */
export function cookie(name: string, value: string, options: CookieOptions): string {
  const { maxAgeSeconds, path, secure } = options;
  const parts = [`${name}=${value}`, `Path=${path}`, `Max-Age=${maxAgeSeconds}`];
  return [...parts, 'HttpOnly', 'SameSite=Lax', ...(secure ? ['Secure'] : [])].join('; ');
}

const sessionCookie = 'session';
/** Makes the browser forget the secret of its session. */
export const forgetSession = (secure: boolean) =>
  cookie(sessionCookie, '', { maxAgeSeconds: 0, path: '/', secure });
export const attemptCookie = (renewalId: string) => `renewal-${renewalId}`;

/** Cookie session: the browser holds the secret, the database its hash. */
export function createSessionAuthentication(
  database: Database,
  clock: Clock,
  limits: SessionLimits,
): Authentication<Caller> {
  return {
    scheme: 'session',
    definition: { type: 'apiKey', in: 'cookie', name: sessionCookie },
    problems: ['session_required', 'cross_site_request', 'unavailable'],
    async authenticate(ctx: Context) {
      const secret = ctx.cookies.get(sessionCookie);
      if (secret === undefined) throw new Problem('session_required');
      const session = await useSession(database, secret, limits, clock.now());
      if (session === undefined) throw new Problem('session_required');
      return session;
    },
  };
}

/** Signs the operator in, in the transaction of what entitles them to it; answers the cookie that the browser is to keep. */
export async function startSession(
  tx: Queryable,
  ctx: Context,
  operatorId: string,
  now: Date,
  { limits, secure }: { readonly limits: SessionLimits; readonly secure: boolean },
): Promise<string> {
  // The session that this browser had is over: it gets a new secret each time.
  const before = ctx.cookies.get(sessionCookie);
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
  return cookie(sessionCookie, secret, {
    maxAgeSeconds: limits.absoluteSeconds,
    path: '/',
    secure,
  });
}

/**
 * Audits a sign-in that was refused. What was typed is not kept in any form: an address that nobody here has may be anything, a password in the wrong field
 * too, and its hash would give it away to whoever guesses it.
 */
export function noteRefusedSignIn(
  database: Database,
  operatorId: string | undefined,
  now: Date,
): Promise<void> {
  return recordAudit(database, {
    at: now,
    actor: 'anonymous',
    action: 'sign_in_refused',
    subject: `operator:${operatorId ?? 'unknown'}`,
  });
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
