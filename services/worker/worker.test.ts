import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { grantWorkflowId } from '../../domain/messages.ts';
import {
  createGuardian,
  type GuardedProcess,
  type Guardian,
} from '../../infra/development/guardian.ts';
import { freePort } from '../../infra/development/ports.ts';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { ensureTopics, productTopics } from '../../infra/kafka/topics.ts';
import { verifyAudit } from '../../infra/postgres/audit-verification.ts';
import { startMailbox, type Mailbox } from '../../infra/mail/mailbox/server.ts';
import { mailboxReader } from '../../infra/mail/testing/support.ts';
import { connectTemporal, type Temporal } from '../../infra/temporal/client.ts';
import { startTemporal, type RunningTemporal } from '../../infra/temporal/development-server.ts';
import { createCookies } from '../backoffice/cookies.ts';
import { createInvitations, type Invitations } from '../backoffice/invitations.ts';
import { createWorld, type World, type WorldCertificate } from '../../test/support/access-world.ts';
import { readableText } from '../../test/support/grant-histories.ts';
import { testParts } from '../../test/support/parts.ts';

const minuteMs = 60_000;
const clock = { now: () => new Date() };
const until = <T>(what: string, probe: () => Promise<T | false | undefined> | T | false) =>
  waitUntil(probe, { what, deadlineMs: 30_000, intervalMs: 50 });

/** Everything as in production: the worker as a process, on PostgreSQL, Temporal, Kafka and SMTP. The tests depend on each other, in this order. */
describe('the worker', () => {
  const namespace = 'worker-test';
  const topic = `access-${randomUUID()}`;
  const lines: string[] = [];
  let guardian: Guardian;
  let world: World;
  let mailbox: Mailbox;
  let server: RunningTemporal | undefined;
  let temporal: Temporal;
  let worker: GuardedProcess;
  let workerUrl: string;
  let temporalPort: number;
  let certificate: WorldCertificate;

  /** In memory: a server that was stopped has forgotten everything. */
  const startServer = async (): Promise<void> => {
    const { directory, temporalTestServerPath } = testParts();
    server = await startTemporal({
      ...{ guardian, namespace, port: temporalPort, retentionDays: 1 },
      cli: join(dirname(temporalTestServerPath), 'temporal'),
      logFile: join(directory, 'temporal-of-worker-test.log'),
    });
  };
  const handle = (grantId: string): WorkflowHandle =>
    temporal.client.workflow.getHandle(grantWorkflowId(grantId));
  const isRunning = async (grantId: string): Promise<boolean> =>
    (await handle(grantId).describe()).status.name === 'RUNNING';
  const mailKinds = async ({ accountId }: WorldCertificate): Promise<string[]> => {
    const { rows } = await world.database.query<{ kind: string }>(
      `select m.kind from mails as m where m.account_id = $1 and m.state = 'accepted' order by m.created_at`,
      [accountId],
    );
    return rows.map(({ kind }) => kind);
  };

  /** As an administrator does on the web page. */
  const invite = async (email: string): Promise<Invitations> => {
    const { sealer } = world;
    const { database } = world.storeAs('backoffice');
    const limits = { idleSeconds: 60, absoluteSeconds: 60 };
    const cookies = createCookies(false);
    const invitations = createInvitations({ database, clock, sealer, limits, cookies });
    const { accountId, operatorIds } = certificate;
    const caller = { operatorId: operatorIds[0] ?? '', sessionId: 'none' };
    const guest = { email, name: 'Guest', locale: 'en', role: 'viewer' } as const;
    await invitations.addOperator(caller, accountId, guest);
    return invitations;
  };

  beforeAll(async () => {
    guardian = createGuardian();
    world = await createWorld(clock);
    mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
    temporalPort = await freePort();
    const { kafkaBrokers } = testParts();
    const names = { signatures: `${topic}-s`, rejects: `${topic}-r`, accessChanges: topic };
    await ensureTopics(
      kafkaBrokers,
      productTopics(names).filter((each) => each.topic === topic),
    );
    certificate = await world.addCertificate(['ana']);
    const port = await freePort();
    workerUrl = `http://127.0.0.1:${port}`;
    worker = await guardian.start({
      name: 'worker',
      command: process.execPath,
      args: ['--import', 'tsx', fileURLToPath(new URL('./main.ts', import.meta.url))],
      env: {
        NODE_ENV: 'test',
        WORKER_HTTP_PORT: String(port),
        WORKER_SWEEP_SECONDS: '2',
        WORKFLOW_BUNDLE_DIR: join(testParts().directory, '..'),
        DATABASE_URL: world.urlAs('worker'),
        TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
        TEMPORAL_NAMESPACE: namespace,
        KAFKA_BROKERS: kafkaBrokers.join(','),
        KAFKA_ACCESS_TOPIC: topic,
        SEALING_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
        SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
      },
      onLine: (line) => lines.push(line),
    });
    temporal = connectTemporal({
      ...{ address: `127.0.0.1:${temporalPort}`, namespace },
      identity: 'test',
    });
  });
  afterAll(async () => {
    await temporal.close();
    await guardian.close();
    await mailbox.close();
    await world.close();
  });

  it('starts without Temporal, says that it waits for it, and is alive but not ready', async () => {
    await until('it does not say so', () =>
      lines.some((line) => line.includes('waiting for Temporal')),
    );
    await until('it does not listen', async () => (await fetch(`${workerUrl}/healthz`)).ok);
    const ready = await fetch(`${workerUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      dependencies: { postgres: { ok: true }, temporal: { ok: false } },
    });
  });

  it('is ready when Temporal comes, and finds the workflows of what was opened before', async () => {
    const renewalId = await world.request(certificate);
    await startServer();
    await until('it is not ready', async () => (await fetch(`${workerUrl}/readyz`)).ok);
    await until('no workflow', () => isRunning(renewalId));
    const metrics = await (await fetch(`${workerUrl}/metrics`)).text();
    expect(metrics).toMatch(/outbox_rows\{.*state="set_aside".*\} 0/);
  });

  it('shows ops what each grant is and what it waits for, in list, panel and timers', async () => {
    const mine = await world.addCertificate(['ana']);
    const grantId = await world.obtain(mine);
    const { grant } = await world.facts(grantId);
    const expiresAt = new Date(grant?.expiresAt ?? '');
    const query = `GrantStanding = 'in_force' AND CertificateId = '${mine.certificateId}' AND UsagePercent = 0`;
    const listed = await until('it is not in the list', async () => {
      for await (const info of temporal.client.workflow.list({ query })) return info;
      return false;
    });
    expect(listed.workflowId).toBe(grantWorkflowId(grantId));
    const { typedSearchAttributes } = await handle(grantId).describe();
    const attribute = (name: string, type: 'KEYWORD' | 'DATETIME' | 'INT') =>
      typedSearchAttributes.get(defineSearchAttributeKey(name, type));
    expect(attribute('AccountId', 'KEYWORD')).toBe(mine.accountId);
    expect(attribute('ExpiresAt', 'DATETIME')).toEqual(expiresAt);
    const week = 7 * 24 * 60 * minuteMs;
    const nextStepAt = attribute('NextStepAt', 'DATETIME') as Date;
    expect(nextStepAt.getTime()).toBeGreaterThanOrEqual(expiresAt.getTime() - week);
    expect(nextStepAt.getTime()).toBeLessThan(expiresAt.getTime() - week + 24 * 60 * minuteMs);

    const shown = await handle(grantId).query<{
      currentDetails: string;
      definition: { signalDefinitions: { name: string; description: string }[] };
    }>('__temporal_workflow_metadata');
    expect(shown.currentDetails).toContain(`- Certificate: \`${mine.certificateId}\``);
    expect(shown.currentDetails).toContain('A grant in force.');
    expect(shown.currentDetails).toMatch(
      new RegExp(
        `Waits for \\*\\*reminder, \\d days left, at ${nextStepAt.toISOString()}\\*\\*, since 20`,
      ),
    );
    const described = shown.definition.signalDefinitions.filter(({ description }) => description);
    expect(described.length).toBe(10);

    const history = await handle(grantId).fetchHistory();
    const text = readableText(history);
    expect(text).toMatch(/"reminder, [67] days left"/);
    expect(text).toContain('"first look"');
    expect(text).not.toMatch(/canary|@example|Operator ana/);
  });

  it('reminds, suspends at the expiry and tells of it, on the real clock', async () => {
    const mine = await world.addCertificate(['ana']);
    const grantId = await world.obtain(mine, { expiresInSeconds: 5 });
    await until('not lapsed', async () => (await mailKinds(mine)).includes('lapsed'));
    expect(await mailKinds(mine)).toEqual(['reminder', 'lapsed']);
    expect(await world.serviceStatuses(mine)).toEqual(['suspended', 'suspended', 'inactive']);
    const { rows } = await world.database.query<{ late: number }>(
      `select extract(epoch from g.services_suspended_at - g.expires_at)::float8 as late
       from access_grants as g where g.grant_id = $1`,
      [grantId],
    );
    expect(rows[0]?.late).toBeGreaterThanOrEqual(0);
    expect(rows[0]?.late).toBeLessThan(5);
    await until('the world was not told', async () => {
      const { rows: waiting } = await world.database.query(
        `select from outbox as o where o.destination = 'kafka' and o.delivered_at is null`,
      );
      return waiting.length === 0;
    });
  });

  it('heals a Temporal that was wiped while it ran: every open grant has its workflow again', async () => {
    const mine = await world.addCertificate(['ana']);
    const grantId = await world.obtain(mine);
    await until('no workflow', () => isRunning(grantId));
    await server?.stop();
    await startServer();
    await until('it does not run again', () => isRunning(grantId));
    const standing = await until('it does not get on', async () => {
      const { typedSearchAttributes } = await handle(grantId).describe();
      return typedSearchAttributes.get(defineSearchAttributeKey('GrantStanding', 'KEYWORD'));
    });
    expect(standing).toBe('in_force');
  });

  it('mails invitations, with a link to the backoffice', async () => {
    const email = 'guest@example.test';
    const invitations = await invite(email);
    const reader = mailboxReader(mailbox.url);
    const mail = await until('no mail', async () => {
      const { messages } = await reader.list('limit=100');
      return messages.find(({ To }) => To[0]?.Address === email);
    });
    expect(mail.Subject).toContain('Operator ana invites you to ');
    const { Text } = await reader.message(mail.ID);
    const [, token = ''] = /http:\/\/127\.0\.0\.1:3000\/invitation#(\S+)/.exec(Text) ?? [];
    expect(await invitations.lookUp(token)).toMatchObject({ email });
    const metrics = await (await fetch(`${workerUrl}/metrics`)).text();
    expect(metrics).toMatch(/outbox_rows\{.*destination="mail".*state="set_aside".*\} 0/);
    expect(lines.join('\n')).not.toContain(token);
  });

  const sealedHeads = () =>
    lines
      .filter((line) => line.includes('the audit is sealed up to here'))
      .map((line) => {
        const { position, hash } = JSON.parse(line) as Record<string, unknown>;
        return { position, hash };
      });

  it('seals the audit within seconds, and shows how far it is and which key seals', async () => {
    await world.request(await world.addCertificate(['ana']));
    await until('it is not sealed', async () => {
      const { broken, sealing } = await verifyAudit(world.database);
      expect(broken).toBeUndefined();
      return sealing.unsealedCount === 0;
    });
    const metrics = await (await fetch(`${workerUrl}/metrics`)).text();
    expect(metrics).toMatch(/^sealed_values_without_key\{service="worker"\} 0/m);
    const ready = await (await fetch(`${workerUrl}/readyz`)).json();
    expect(ready).toMatchObject({ dependencies: { sealing_keys: { detail: 'newest test' } } });
    expect(metrics).toMatch(/^audit_chain_position\{service="worker"\} [1-9]/m);
    expect(metrics).toMatch(/^audit_unsealed_events\{service="worker"\} \d/m);
    expect(metrics).toMatch(/^audit_oldest_unsealed_age_seconds\{service="worker"\} \d/m);
    expect(sealedHeads().length).toBeGreaterThan(0);
  });

  it('writes no secret and no address into its log, and ends when it is told to, whatever the mail server does', async () => {
    await mailboxReader(mailbox.url).setSwitches({ delayMs: 60_000 });
    await invite('last@example.test');
    await until('it is not being sent', async () => {
      const { rows } = await world.database.query(
        `select from outbox as o where o.destination = 'mail' and o.delivered_at is null and o.attempts > 0`,
      );
      return rows.length > 0;
    });
    const { code } = await worker.stop();
    expect(code).toBe(0);
    // Where the chain ended stands in the log, out of reach of whoever has the database.
    const { head } = await verifyAudit(world.database);
    expect(sealedHeads().at(-1)).toEqual({
      position: head.position,
      hash: head.hash.toString('hex'),
    });
    expect(lines.join('\n')).not.toMatch(/canary|@example|client-secret/);
  });
});
