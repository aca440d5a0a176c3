import pg from 'pg';

const firstDelayMs = 100;
const longestDelayMs = 10_000;

/**
 * Calls `onNotify` with the payload when the channel is notified, and without one after each time the connection was made (what was notified before is
 * not told again). A connection that breaks is made again with back-off. Only hastens what is polled for anyway: nothing may depend on a notification.
 */
export function listenTo(
  { url, applicationName, channel }: { url: string; applicationName: string; channel: string },
  onNotify: (payload?: string) => void,
): { stop(): Promise<void> } {
  let stopped = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let delayMs = firstDelayMs;

  const again = (): void => {
    client = undefined;
    if (stopped) return;
    retry = setTimeout(() => void connect(), delayMs);
    retry.unref();
    delayMs = Math.min(2 * delayMs, longestDelayMs);
  };
  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: `${applicationName} listening`,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
    });
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      // Its own error, if any, is of no use: the connection is given up.
      next.end().catch(() => undefined);
      again();
    };
    client = next;
    next.on('error', end);
    next.on('end', end);
    next.on('notification', ({ payload = '' }) => {
      onNotify(payload);
    });
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
      delayMs = firstDelayMs;
      onNotify();
    } catch {
      end();
    }
  };
  void connect();

  return {
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await client?.end().catch(() => undefined);
    },
  };
}
