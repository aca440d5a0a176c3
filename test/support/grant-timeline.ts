import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { GrantActivities } from '../../activities/grant-activities.ts';
import type { Clock } from '../../domain/clock.ts';
import { grantWorkflowId } from '../../domain/messages.ts';
import type { Policy } from '../../domain/policy.ts';
import { createMailer } from '../../infra/mail/mailer.ts';
import { startMailbox, type Mailbox } from '../../infra/mail/mailbox/server.ts';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { createGrantWorkflows, type GrantWorkflows } from '../../infra/temporal/grant-workflows.ts';
import { workflowCode } from '../../infra/temporal/workflow-bundle.ts';
import type { CaRevoker, Revocation } from '../../activities/ports.ts';
import { wireActivities } from '../../services/worker/activities.ts';
import { createWorld, type World } from './access-world.ts';
import { testParts } from './parts.ts';

export type Timeline = {
  readonly world: World;
  readonly workflows: GrantWorkflows;
  readonly mailbox: Mailbox;
  /** What the CA was asked to revoke; empty with a real one. */
  readonly revoked: Revocation[];
  /** How far PostgreSQL's clock is ahead of Temporal's. */
  skewMs: number;
  now(): Date;
  /** Lets this much time pass, in no time. */
  pass(ms: number): Promise<void>;
  passUntil(at: Date): Promise<void>;
  /** Delivers the signals that wait in the outbox. */
  deliverSignals(): Promise<void>;
  handle(grantId: string): WorkflowHandle;
  close(): Promise<void>;
};

/**
 * Real workflows and activities on PostgreSQL and SMTP, over weeks: Temporal's time-skipping server gives the time, and PostgreSQL's clock is that time, plus a
 * skew if told. Revocations are only noted down, unless there is a CA to ask.
 */
export async function startTimeline(
  figures: Partial<Policy> = {},
  realCa?: (world: World) => CaRevoker,
): Promise<Timeline> {
  const { temporalTestServerPath, directory } = testParts();
  installRuntime();
  // As long as a real one, since it stands in most events of a history.
  const identity = 'worker of a test:12345';
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: temporalTestServerPath } },
    client: { identity },
  });
  const { connection, nativeConnection } = environment;
  // The environment's own client lets time run on while it waits for a result.
  const client = new Client({ connection, identity });
  await ensureSearchAttributes(connection, 'default');
  const mailbox = await startMailbox({ smtpPort: 0, httpPort: 0 });
  const mailer = createMailer({
    smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`,
    from: { name: 'Certificates', address: 'certificates@example.test' },
    replyTo: 'support@example.test',
  });

  // Asked of the server before each activity and each step of a test; in between it runs as the server's does then, in real time.
  let known = { temporalMs: 0, at: 0 };
  const look = async (): Promise<void> => {
    known = { temporalMs: await environment.currentTimeMs(), at: performance.now() };
  };
  const timeline = { skewMs: 0 };
  const clock: Clock = {
    now: () => new Date(known.temporalMs + (performance.now() - known.at) + timeline.skewMs),
  };
  await look();
  const world = await createWorld(clock, figures);
  const revoked: Revocation[] = [];
  const ca: CaRevoker = realCa?.(world) ?? {
    revoke(revocation) {
      revoked.push(revocation);
      return Promise.resolve();
    },
  };
  const nothing = (): void => undefined;
  const activities = wireActivities({
    ...world.storeAs('worker'),
    sealer: world.sealer,
    mailer,
    ca,
    log: { warn: nothing, error: nothing },
    publicUrl: 'https://backoffice.example.test',
    messageIdDomain: 'example.test',
  });
  const taskQueue = 'access-grants';
  const worker = await Worker.create({
    connection: nativeConnection,
    namespace: 'default',
    taskQueue,
    identity,
    ...(await workflowCode(join(directory, '..'))),
    activities: lookingFirst(activities, look),
  });
  const running = worker.run();
  const workflows = createGrantWorkflows({
    temporal: { client, connection },
    taskQueue,
    policy: world.storeAs('worker').policy,
  });

  const pass = async (ms: number): Promise<void> => {
    await environment.sleep(Math.max(1, Math.ceil(ms)));
    await look();
  };
  return Object.assign(timeline, {
    world,
    workflows,
    mailbox,
    revoked,
    now: () => clock.now(),
    pass,
    passUntil: async (at: Date) => {
      await look();
      await pass(at.getTime() - clock.now().getTime());
    },
    async deliverSignals() {
      await look();
      await world.deliver('temporal', ({ subject, name, payload }) =>
        workflows.signal(subject, name, payload),
      );
      await pass(1_000);
    },
    handle: (grantId: string) => client.workflow.getHandle(grantWorkflowId(grantId)),
    async close() {
      worker.shutdown();
      await running;
      await environment.teardown();
      mailer.close();
      await mailbox.close();
      await world.close();
    },
  });
}

let installed = false;
function installRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}

function lookingFirst(activities: GrantActivities, look: () => Promise<void>): GrantActivities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, activity]) => [
      name,
      async (grantId: string) => {
        await look();
        return activity(grantId);
      },
    ]),
  ) as GrantActivities;
}
