import type { Context } from 'koa';
import { Problem } from '../../domain/errors.ts';
import { recordAudit } from '../../infra/postgres/audit.ts';
import { endSession, useSession, type SessionLimits } from '../../infra/postgres/sessions.ts';
import { inTransaction, type Database } from '../../infra/postgres/pool.ts';
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

export const sessionCookie = 'session';
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
