import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import { Problem } from '../../domain/errors.ts';
import { createProducer, RecordTooLarge } from '../../infra/kafka/producer.ts';
import { createMailer } from '../../infra/mail/mailer.ts';
import { followDatabaseClock } from '../../infra/postgres/clock.ts';
import { countBacklog } from '../../infra/postgres/outbox-relay.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { connectTemporal } from '../../infra/temporal/client.ts';
import { createGrantWorkflows } from '../../infra/temporal/grant-workflows.ts';
import {
  deliverRecords,
  deliverSignals,
  startOutboxRelay,
} from '../../infra/temporal/outbox-relay.ts';
import { ensureSearchAttributes } from '../../infra/temporal/search-attributes.ts';
import { createCaClients } from '../shared/ca-clients.ts';
import { parseConfigOrExit } from '../shared/config.ts';
import { createHttpApp } from '../shared/http.ts';
import { runService } from '../shared/lifecycle.ts';
import { createLog } from '../shared/log.ts';
import { createMetrics } from '../shared/metrics.ts';
import { policyFrom } from '../shared/policy-config.ts';
import { wireActivities } from './activities.ts';
import { createCaRevoker } from './ca-revoker.ts';
import { workerVariables } from './config.ts';
import {
  deliverInvitations,
  invitationLeaseMs,
  invitationLongestPauseMs,
} from './invitation-mails.ts';
import { runSweep } from './sweep.ts';
import { runTemporalWorker } from './temporal-worker.ts';

const config = parseConfigOrExit(workerVariables, process.env);
const log = createLog({ service: 'worker', level: config.LOG_LEVEL });
/** The writer's own relay delivers within milliseconds; what it left behind by then is the worker's. */
const leftBehindMs = 2_000;

await runService({
  name: 'worker',
  log,
  graceSeconds: config.SHUTDOWN_GRACE_SECONDS,
  parentWatch: config.PARENT_WATCH,
  async start() {
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'worker' });
    const clock = await followDatabaseClock(database);
    const policy = policyFrom(config);
    const sealer = createSealer(
      config.SEALING_KEYS.map(({ id, key }) => ({ id, key: Buffer.from(key) })),
    );
    // The end of a pod's name tells it from others; every event of a history repeats it.
    const identity = `${hostname().slice(-17)}:${String(process.pid)}`;
    const address = config.TEMPORAL_ADDRESS;
    const taskQueue = config.TEMPORAL_TASK_QUEUE;
    const temporal = connectTemporal({ address, namespace: config.TEMPORAL_NAMESPACE, identity });
    const workflows = createGrantWorkflows({ temporal, taskQueue, policy });
    const mailMs = config.SMTP_TIMEOUT_SECONDS * 1000;
    const mailer = createMailer({
      smtpUrl: config.SMTP_URL,
      from: { name: config.MAIL_FROM_NAME, address: config.MAIL_FROM },
      replyTo: config.MAIL_REPLY_TO,
      timeouts: { totalMs: mailMs },
    });
    const publicUrl = config.PUBLIC_URL;
    const messageIdDomain = config.MAIL_FROM.slice(config.MAIL_FROM.indexOf('@') + 1);
    const producer = createProducer({ clientId: 'worker', brokers: config.KAFKA_BROKERS, log });

    const worker = runTemporalWorker({
      ...{ address, temporal, taskQueue, identity, log },
      activities: wireActivities({
        ...{ database, clock, policy, sealer, mailer, log },
        ca: createCaRevoker(database, createCaClients(sealer)),
        ...{ publicUrl, messageIdDomain },
        mailClaimMs: 4 * mailMs,
      }),
      bundleDir: config.WORKFLOW_BUNDLE_DIR,
      graceSeconds: config.SHUTDOWN_GRACE_SECONDS,
    });
    const relays = [
      startOutboxRelay({
        ...{ database, clock, log },
        writtenBy: ['worker', 'admin'],
        deliverTo: {
          temporal: deliverSignals(workflows),
        },
      }),
      startOutboxRelay({
        ...{ database, clock, log },
        minAgeMs: leftBehindMs,
        deliverTo: { temporal: deliverSignals(workflows) },
      }),
      startOutboxRelay({
        ...{ database, clock, log },
        deliverTo: {
          kafka: deliverRecords(
            (topic, key, value) => producer.send(topic, key, value),
            { 'certificate-access': config.KAFKA_ACCESS_TOPIC },
            (error) => error instanceof RecordTooLarge,
          ),
        },
      }),
    ];
    const mailRelay = startOutboxRelay({
      ...{ database, clock, log },
      leaseMs: invitationLeaseMs,
      longestPauseMs: invitationLongestPauseMs,
      deliverTo: {
        mail: deliverInvitations({
          ...{ database, clock, sealer, mailer },
          ...{ publicUrl, messageIdDomain },
        }),
      },
    });
    const sweep = runSweep({
      ...{ database, clock, policy, workflows, log },
      ensureSetUp: () => ensureSearchAttributes(temporal.connection, temporal.namespace),
      intervalMs: config.WORKER_SWEEP_SECONDS * 1000,
      overdueMs: config.WORKER_OVERDUE_SECONDS * 1000,
    });

    const metrics = createMetrics('worker');
    new Gauge({
      name: 'outbox_rows',
      help: 'Rows of the outbox that are not delivered: waiting, or set aside for a person because they can never be.',
      labelNames: ['destination', 'state'],
      registers: [metrics],
      async collect() {
        for (const { destination, waiting, setAside } of await countBacklog(database)) {
          this.set({ destination, state: 'waiting' }, waiting);
          this.set({ destination, state: 'set_aside' }, setAside);
        }
      },
    });
    const app = createHttpApp({
      log,
      metrics,
      title: 'Certificate Access worker',
      version: '1',
      routes: [],
      dependencies: {
        async postgres() {
          await database.query('select 1');
          return undefined;
        },
        async temporal() {
          await temporal.check();
          if (!worker.isRunning()) throw new Problem('unavailable');
          return undefined;
        },
      },
      checkResponses: config.NODE_ENV !== 'production',
    });
    const http = await app.listen({
      port: config.WORKER_HTTP_PORT,
      host: config.HTTP_HOST,
      portVariable: 'WORKER_HTTP_PORT',
    });
    log.info({ url: http.url }, 'worker is listening');

    return {
      async stop() {
        await http.stop();
        await Promise.all([
          ...[sweep.stop(), ...relays.map((relay) => relay.stop()), worker.stop()],
          // A mail server that hangs is not waited for: the row's lease ends, and its mail is sent again.
          Promise.race([mailRelay.stop(), pause(config.SHUTDOWN_GRACE_SECONDS * 700)]),
        ]);
        mailer.close();
        await producer.stop();
        await temporal.close();
        clock.stop();
        await database.end();
      },
    };
  },
});
