import { hostname } from 'node:os';
import { Problem } from '../../domain/errors.ts';
import { createProducer, RecordTooLarge } from '../../infra/kafka/producer.ts';
import { createMailer } from '../../infra/mail/mailer.ts';
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
import { createCaFigures } from '../shared/ca-figures.ts';
import { followFacts, watchPools } from '../shared/facts.ts';
import { createHttpApp } from '../shared/http.ts';
import { closingMs, inTime } from '../shared/in-time.ts';
import { policyFrom } from '../shared/policy-config.ts';
import { listenOn, runMain } from '../shared/run-main.ts';
import { watchSealingKeys } from '../shared/sealing-keys-watch.ts';
import { wireActivities } from './activities.ts';
import { registerAuditMetrics } from './audit-metrics.ts';
import { startAuditSealer } from './audit-sealer.ts';
import { createCaRevoker } from './ca-revoker.ts';
import { workerVariables } from './config.ts';
import { createSweepFigures, watchFacts, watchMailer, watchProducer } from './figures.ts';
import { deliverInvitations } from './invitation-mails.ts';
import { deliverPasswordMails } from './password-mails.ts';
import { privateMailLeaseMs, privateMailLongestPauseMs } from './private-mail.ts';
import { runSweep } from './sweep.ts';
import { runTemporalWorker } from './temporal-worker.ts';

/** The writer's own relay delivers within milliseconds; what it left behind by then is the worker's. */
const leftBehindMs = 2_000;

await runMain({
  name: 'worker',
  variables: workerVariables,
  env: process.env,
  async start(service) {
    const { config, log, metrics } = service;
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'worker' });
    watchPools(metrics, { main: database });
    const { clock, dependencies } = await followFacts(database, service);
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
    const smtp = createMailer({
      smtpUrl: config.SMTP_URL,
      from: { name: config.MAIL_FROM_NAME, address: config.MAIL_FROM },
      replyTo: config.MAIL_REPLY_TO,
      timeouts: { totalMs: mailMs },
    });
    const publicUrl = config.PUBLIC_URL;
    const mail = watchMailer(smtp, metrics);
    const { mailer } = mail;
    const messageIdDomain = config.MAIL_FROM.slice(config.MAIL_FROM.indexOf('@') + 1);
    const producer = createProducer({ clientId: 'worker', brokers: config.KAFKA_BROKERS, log });
    const kafka = watchProducer(producer);
    const ca = createCaFigures(metrics);

    const worker = runTemporalWorker({
      ...{ address, temporal, taskQueue, identity, log },
      activities: wireActivities({
        ...{ database, clock, policy, sealer, mailer, log },
        ca: createCaRevoker(database, createCaClients(sealer, {}, ca.onCall)),
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
            (topic, key, value) => kafka.send(topic, key, value),
            { 'certificate-access': config.KAFKA_ACCESS_TOPIC },
            (error) => error instanceof RecordTooLarge,
          ),
        },
      }),
    ];
    const privateMailParts = { database, clock, sealer, mailer, publicUrl, messageIdDomain };
    const mailRelay = startOutboxRelay({
      ...{ database, clock, log },
      leaseMs: privateMailLeaseMs,
      longestPauseMs: privateMailLongestPauseMs,
      deliverTo: {
        mail: deliverInvitations(privateMailParts),
        password_mail: deliverPasswordMails(privateMailParts),
      },
    });
    const sweep = runSweep({
      ...{ database, clock, policy, workflows, log },
      ensureSetUp: () => ensureSearchAttributes(temporal.connection, temporal.namespace),
      intervalMs: config.WORKER_SWEEP_SECONDS * 1000,
      onRound: createSweepFigures(metrics, clock),
      overdueMs: config.WORKER_OVERDUE_SECONDS * 1000,
    });
    const figures = watchFacts({ ...{ database, clock, log, metrics } });
    const auditSealer = startAuditSealer({ database, log });
    registerAuditMetrics(metrics, { database, clock });
    const sealingKeys = watchSealingKeys('worker', { database, sealer, log, metrics });

    const app = createHttpApp({
      log,
      metrics,
      title: 'Certificate Access worker',
      version: '1',
      routes: [],
      dependencies: {
        ...dependencies,
        async temporal() {
          await temporal.check();
          if (!worker.isRunning()) throw new Problem('unavailable');
          return undefined;
        },
        // Without them what they are for waits, and everything else goes on.
        kafka: kafka.dependency,
        mail: mail.dependency,
        ca: ca.dependency,
        sealing_keys: { required: false, check: sealingKeys.remark },
      },
      checkResponses: config.NODE_ENV !== 'production',
    });
    const http = await listenOn(app, service, 'WORKER_HTTP_PORT');

    return {
      async stop() {
        const relayed = [...relays, mailRelay].map((relay) => relay.stop());
        await inTime(
          Promise.all([
            ...[http.stop(), sweep.stop(), figures.stop(), worker.stop(), ...relayed],
            ...[auditSealer.stop(), sealingKeys.stop()],
          ]),
          config.SHUTDOWN_GRACE_SECONDS * 700,
          log,
        );
        clock.stop();
        smtp.close();
        await inTime(
          Promise.all([producer.stop(), temporal.close(), database.end()]),
          closingMs,
          log,
        );
      },
    };
  },
});
