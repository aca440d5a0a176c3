import pg from 'pg';

const firstDelayMs = 100;
const longestDelayMs = 10_000;
/** A peer that vanished without a word is noticed by a question that it does not answer. */
const usualHeartbeatMs = 15_000;
const usualAnswerWithinMs = 5_000;

export type ListenOptions = {
  readonly url: string;
  readonly applicationName: string;
  readonly channel: string;
  readonly heartbeatMs?: number;
  readonly answerWithinMs?: number;
};

/**
 * Calls `onNotify` with the payload when the channel is notified, and without one after each time the connection was made (what was notified before is
 * not told again). A connection that breaks, or does not answer any more, is made again with back-off. Only hastens what is polled for anyway: nothing may
 * depend on a notification.
 */
export function listenTo(
  options: ListenOptions,
  onNotify: (payload?: string) => void,
): { stop(): Promise<void> } {
  const { url, applicationName, channel } = options;
  const { heartbeatMs = usualHeartbeatMs, answerWithinMs = usualAnswerWithinMs } = options;
  let stopped = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delayMs = firstDelayMs;

  const later = (work: () => void, ms: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(work, ms);
    timer.unref();
  };
  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: `${applicationName} listening`,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 5_000,
      query_timeout: answerWithinMs,
    });
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      // Its own error, if any, is of no use: the connection is given up.
      next.end().catch(() => undefined);
      client = undefined;
      later(() => void connect(), delayMs);
      delayMs = Math.min(2 * delayMs, longestDelayMs);
    };
    const beat = (): void => {
      next.query('select').then(() => {
        if (!over) later(beat, heartbeatMs);
      }, end);
    };
    client = next;
    next.on('error', end);
    next.on('end', end);
    next.on('notification', ({ payload = '' }) => {
      // What a connection that was given up still tells is told again by its successor.
      if (!over) onNotify(payload);
    });
    try {
      await next.connect();
      // Told to stop meanwhile.
      if (stopped) {
        end();
        return;
      }
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
      delayMs = firstDelayMs;
      onNotify();
      later(beat, heartbeatMs);
    } catch {
      end();
    }
  };
  void connect();

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
