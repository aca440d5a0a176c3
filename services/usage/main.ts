import { createProducer } from '../../infra/kafka/producer.ts';
import { createSignatureSource } from '../../infra/kafka/signature-source.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { connectTemporal } from '../../infra/temporal/client.ts';
import { createGrantWorkflows } from '../../infra/temporal/grant-workflows.ts';
import { deliverSignals, startOutboxRelay } from '../../infra/temporal/outbox-relay.ts';
import { createHttpApp } from '../shared/http.ts';
import { followFacts, watchPools } from '../shared/facts.ts';
import { closingMs, inTime } from '../shared/in-time.ts';
import { policyFrom } from '../shared/policy-config.ts';
import { listenOn, runMain } from '../shared/run-main.ts';
import { usageVariables } from './config.ts';
import { createCounter } from './counter.ts';
import { createUsageMetrics } from './metrics.ts';
import { startUpkeep } from './upkeep.ts';

await runMain({
  name: 'usage',
  variables: usageVariables,
  env: process.env,
  async start(service) {
    const { config, log, metrics: registry } = service;
    const topic = config.KAFKA_SIGNATURES_TOPIC;
    const policy = policyFrom(config);
    const kafka = { brokers: config.KAFKA_BROKERS, clientId: 'usage', log };
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'usage' });
    watchPools(registry, { main: database });
    const { clock, dependencies } = await followFacts(database, service);
    const store = { database, clock, policy };
    const metrics = createUsageMetrics(registry);

    const producer = createProducer(kafka);
    const upkeep = startUpkeep({
      store,
      topic,
      rejectsTopic: config.KAFKA_REJECTS_TOPIC,
      producer,
      eventIdDays: config.USAGE_EVENT_ID_DAYS,
      log,
      onFigures(figures) {
        metrics.figures(figures, clock.now());
      },
    });
    const source = createSignatureSource({
      ...kafka,
      topic,
      groupId: config.USAGE_GROUP_ID,
      sessionTimeoutMs: config.USAGE_SESSION_TIMEOUT_MS,
    });
    const counter = createCounter({
      source,
      store,
      topic,
      log,
      flushEveryMs: config.USAGE_FLUSH_MS,
      flushEvents: config.USAGE_FLUSH_EVENTS,
      mostPendingEvents: config.USAGE_MOST_PENDING_EVENTS,
      onFlush(result, seconds) {
        metrics.flushed(result, seconds);
        if (result.suspended > 0) upkeep.settleSoon();
        if (result.rejected > 0) upkeep.publishSoon();
      },
      onFlushFailed() {
        metrics.flushFailed();
      },
      onFailed(error) {
        log.fatal({ err: error }, 'reading from Kafka has ended');
        process.exit(1);
      },
    });
    metrics.watch(counter);
    counter.start();

    const temporal = connectTemporal({
      address: config.TEMPORAL_ADDRESS,
      namespace: config.TEMPORAL_NAMESPACE,
      identity: 'usage',
    });
    const workflows = createGrantWorkflows({
      temporal,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      policy,
    });
    const relay = startOutboxRelay({
      database,
      clock,
      log,
      writtenBy: ['usage'],
      deliverTo: { temporal: deliverSignals(workflows) },
    });

    const app = createHttpApp({
      log,
      metrics: registry,
      title: 'Certificate Access usage',
      version: '1',
      routes: [],
      dependencies: {
        ...dependencies,
        async kafka() {
          await source.bounds();
          const stalled = counter.stalled();
          if (stalled.length > 0) throw new Error(`stalled partitions: ${stalled.join(', ')}`);
          if (!counter.hasJoined()) throw new Error('the consumer group is not joined yet');
          return `${counter.partitions().length} partitions`;
        },
        // Without it signatures are counted all the same, and signals wait in the outbox.
        temporal: { required: false, check: () => temporal.check() },
      },
      checkResponses: config.NODE_ENV !== 'production',
    });
    const http = await listenOn(app, service, 'USAGE_PORT');

    return {
      async stop() {
        await inTime(
          Promise.all([http.stop(), counter.stop(), upkeep.stop(), relay.stop()]),
          config.SHUTDOWN_GRACE_SECONDS * 700,
          log,
        );
        clock.stop();
        await inTime(
          Promise.all([producer.stop(), temporal.close(), database.end()]),
          closingMs,
          log,
        );
      },
    };
  },
});
