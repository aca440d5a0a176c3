import { pino } from 'pino';

import { readMailboxConfig } from './config.ts';
import { startMailbox } from './server.ts';

const log = pino({ name: 'mailbox' });

try {
  const mailbox = await startMailbox(readMailboxConfig(process.env));
  const stop = () => {
    void mailbox.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  log.info({ smtpPort: mailbox.smtpPort, url: mailbox.url }, 'mailbox is ready');
} catch (error) {
  log.fatal(error instanceof Error ? error.message : 'mailbox failed to start');
  process.exit(1);
}
