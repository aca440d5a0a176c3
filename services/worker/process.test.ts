import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createGuardian, type Guardian } from '../../infra/development/guardian.ts';
import { freePort } from '../../infra/development/ports.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { startMailbox, type Mailbox } from '../../infra/mail/mailbox/server.ts';
import { mailboxReader } from '../../infra/mail/testing/support.ts';
import { createWorld, type World } from '../../test/support/access-world.ts';
import { openDoor } from '../../test/support/door.ts';
import { testParts } from '../../test/support/parts.ts';

const clock = { now: () => new Date() };
let guardian: Guardian;
let world: World;
let mailbox: Mailbox;

beforeAll(async () => {
  guardian = createGuardian();
  mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
});
afterEach(() => world.close());
afterAll(async () => {
  await guardian.close();
  await mailbox.close();
});

async function startWorker(env: Readonly<Record<string, string>> = {}) {
  world = await createWorld(clock);
  const { temporalAddress, temporalNamespace, kafkaBrokers, directory } = testParts();
  const port = await freePort();
  const lines: string[] = [];
  const process_ = await guardian.start({
    name: 'worker',
    command: process.execPath,
    args: ['--import', 'tsx', fileURLToPath(new URL('./main.ts', import.meta.url))],
    graceMs: 30_000,
    env: {
      NODE_ENV: 'test',
      WORKER_HTTP_PORT: String(port),
      WORKFLOW_BUNDLE_DIR: join(directory, '..'),
      DATABASE_URL: world.database.options.connectionString ?? '',
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: temporalNamespace,
      TEMPORAL_TASK_QUEUE: `stop-${randomUUID()}`,
      KAFKA_BROKERS: kafkaBrokers.join(','),
      SEALING_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
      ...env,
    },
    onLine: (line) => lines.push(line),
  });
  const answers = (path: string): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ ok }) => ok,
      () => false,
    );
  return { process: process_, answers, log: () => lines.join('\n') };
}

describe('the worker as a process', () => {
  it('told to stop while an activity hands a mail to a slow mail server, finishes it, records it and sends it once', async () => {
    const reader = mailboxReader(mailbox.url);
    const worker = await startWorker();
    const until = (what: string, probe: () => Promise<boolean>) =>
      waitUntil(probe, { what, deadlineMs: 40_000 });
    await until('it is not ready', () => worker.answers('/readyz'));
    await reader.setSwitches({ delayMs: 1_500 });
    await world.obtain(await world.addCertificate(['ana']), { expiresInSeconds: 3_600 });
    const states = async (): Promise<string[]> => {
      const { rows } = await world.database.query<{ state: string }>(
        'select m.state from mails as m',
      );
      return rows.map(({ state }) => state);
    };
    await until('nothing is being sent', async () => (await states()).includes('sending'));
    const { code } = await worker.process.stop();
    expect(code).toBe(0);
    expect(await states()).toEqual(['accepted']);
    const { messages } = await reader.list('limit=100');
    expect(messages).toHaveLength(1);
    expect(worker.log()).toContain('worker has stopped');
  });

  it('told to stop while Temporal, Kafka and the mail server hang, ends in order', async () => {
    const silent = await openDoor();
    const address = `127.0.0.1:${silent.port}`;
    const worker = await startWorker({
      TEMPORAL_ADDRESS: address,
      KAFKA_BROKERS: address,
      SMTP_URL: `smtp://${address}`,
      SHUTDOWN_GRACE_SECONDS: '4',
    });
    await waitUntil(() => worker.answers('/healthz'), { what: 'not alive', deadlineMs: 30_000 });
    await silent.called;
    const { code } = await worker.process.stop();
    expect(code).toBe(0);
    await silent.close();
  });
});
