import { Readable } from 'node:stream';
import type { Clock } from '../../domain/clock.ts';
import { Problem } from '../../domain/errors.ts';
import type { Database } from '../../infra/postgres/pool.ts';
import {
  findLiveSessions,
  findVisiblePairs,
  type ScreenChange,
  type ScreenChanges,
} from '../../infra/postgres/screen-changes.ts';
import type { SessionLimits } from '../../infra/postgres/sessions.ts';
import type { Logger } from '../shared/log.ts';
import type { Caller } from './session.ts';

/** Tabs of one session; browsers open no more than six connections to a server that speaks HTTP/1.1. */
const streamsPerSession = 5;
/** Of one operator in all sessions, so that nobody takes what all of them have. */
const streamsPerOperator = 20;
/** Of one process: below the connections that it takes, so that requests find room beside them. */
const usualStreamsPerProcess = 2_000;
/** What a reader may leave unread before the stream is given up; it comes back and reads everything again. */
const unreadLimitBytes = 64 * 1024;
const retryMs = 3_000;

export type EventStreams = {
  /** A new stream of server-sent events; throws `too_many_requests` when the session or the operator has as many as it may, `unavailable` when the process has. */
  open(caller: Caller): Readable;
};

/**
 * Tells screens what changed. Nothing depends on an event: a stream that ends is opened again and the screen reads anew. Who may see what, and whether the
 * session lives, is asked of the database each time something is sent, so whoever was removed hears nothing more.
 */
export function createEventStreams(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly changes: ScreenChanges;
  readonly log: Logger;
  readonly heartbeatMs?: number;
  readonly streamsPerProcess?: number;
}): EventStreams {
  const { database, clock, limits, changes, log, heartbeatMs = 15_000 } = options;
  const { streamsPerProcess = usualStreamsPerProcess } = options;
  const streams = new Map<Readable, Caller>();
  let unsubscribe: (() => void) | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let waiting = new Map<string, Extract<ScreenChange, { kind: 'certificate' }>>();
  let working = Promise.resolve();

  const endWhere = (isOver: (caller: Caller) => boolean): void => {
    for (const [stream, caller] of streams) {
      if (!isOver(caller)) continue;
      streams.delete(stream);
      stream.push(null);
    }
  };
  const send = (stream: Readable, text: string): void => {
    if (!streams.has(stream)) return;
    if (stream.readableLength > unreadLimitBytes) stream.destroy();
    else stream.push(text);
  };
  const endDeadSessions = async (): Promise<void> => {
    const sessionIds = [...streams.values()].map(({ sessionId }) => sessionId);
    const live = await findLiveSessions(database, sessionIds, limits, clock.now());
    endWhere(({ sessionId }) => sessionIds.includes(sessionId) && !live.has(sessionId));
  };
  const deliver = async (): Promise<void> => {
    const batch = [...waiting.values()];
    waiting = new Map();
    if (batch.length === 0 || streams.size === 0) return;
    await endDeadSessions();
    const recipients = [...streams];
    const operatorIds = [...new Set(recipients.map(([, { operatorId }]) => operatorId))];
    const certificateIds = [...new Set(batch.map(({ certificateId }) => certificateId))];
    const visible = await findVisiblePairs(database, operatorIds, certificateIds);
    for (const [stream, { operatorId }] of recipients) {
      const text = batch
        .filter(({ certificateId }) => visible.has(`${operatorId} ${certificateId}`))
        .map(({ certificateId, what }) => eventOf({ certificateId, what }))
        .join('');
      if (text !== '') send(stream, text);
    }
  };
  const beat = async (): Promise<void> => {
    await endDeadSessions();
    for (const stream of streams.keys()) send(stream, ': still here\n\n');
  };
  /** One after the other. Where the database cannot be asked nobody is told anything, and everybody comes back to ask. */
  const work = (task: () => Promise<void>): void => {
    working = working.then(task).catch((error: unknown) => {
      log.warn({ err: error }, 'event streams ended');
      endWhere(() => true);
    });
  };

  const onChange = (change: ScreenChange): void => {
    switch (change.kind) {
      case 'session_ended':
        endWhere(({ sessionId }) => sessionId === change.sessionId);
        return;
      case 'everything':
        for (const stream of streams.keys())
          send(stream, eventOf({ certificateId: null, what: 'everything' }));
        work(endDeadSessions);
        return;
      case 'certificate':
        // The same news twice before it is told is one.
        if (waiting.size === 0) work(deliver);
        waiting.set(`${change.certificateId} ${change.what}`, change);
    }
  };
  const rest = (): void => {
    if (streams.size > 0) return;
    unsubscribe?.();
    unsubscribe = undefined;
    clearInterval(heartbeat);
  };

  return {
    open(caller) {
      if (streams.size >= streamsPerProcess) {
        throw new Problem('unavailable', { retryAfterSeconds: 60 });
      }
      const own = [...streams.values()].filter((one) => one.operatorId === caller.operatorId);
      const ofSession = own.filter((one) => one.sessionId === caller.sessionId);
      if (ofSession.length >= streamsPerSession || own.length >= streamsPerOperator) {
        throw new Problem('too_many_requests', { retryAfterSeconds: 60 });
      }
      const stream = new Readable({ read: () => undefined });
      if (unsubscribe === undefined) {
        unsubscribe = changes.subscribe(onChange);
        heartbeat = setInterval(() => {
          work(beat);
        }, heartbeatMs);
        heartbeat.unref();
      }
      streams.set(stream, caller);
      stream.once('close', () => {
        streams.delete(stream);
        rest();
      });
      stream.push(`retry: ${retryMs}\n\n`);
      return stream;
    },
  };
}

const eventOf = (data: { readonly certificateId: string | null; readonly what: string }): string =>
  `event: changed\ndata: ${JSON.stringify(data)}\n\n`;
