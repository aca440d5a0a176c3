import { once } from 'node:events';
import { createServer } from 'node:http';

import type { MailboxConfig } from './config.ts';
import { createMailboxApp } from './http.ts';
import { portOf, startSmtp } from './smtp.ts';
import { createMessageStore } from './store.ts';
import { type Switches, switchesSchema } from './switches.ts';

export interface Mailbox {
  readonly smtpPort: number;
  readonly httpPort: number;
  /** Address of the page and of the API. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the development mailbox on 127.0.0.1; port 0 takes a free one. Throws, naming the port and its variable, when one is taken. */
export async function startMailbox({ smtpPort, httpPort }: MailboxConfig): Promise<Mailbox> {
  const store = createMessageStore();
  let switches: Switches = switchesSchema.parse({});

  const smtp = await startSmtp(smtpPort, store, () => switches).catch((error: unknown) => {
    throw listenError(error, smtpPort, 'MAILBOX_SMTP_PORT');
  });
  const app = createMailboxApp(store, {
    get: () => switches,
    set: (next) => (switches = next),
  });
  const handle = app.callback();
  const http = createServer((request, response) => void handle(request, response));
  try {
    http.listen(httpPort, '127.0.0.1');
    await once(http, 'listening');
  } catch (error) {
    await smtp.close();
    throw listenError(error, httpPort, 'MAILBOX_HTTP_PORT');
  }

  const port = portOf(http.address());
  return {
    smtpPort: smtp.port,
    httpPort: port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await Promise.all([smtp.close(), closed]);
    },
  };
}

function listenError(error: unknown, port: number, variable: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new Error(`Port ${port} is taken. End what uses it, or choose another with ${variable}.`, {
    cause: error,
  });
}
