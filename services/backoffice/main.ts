import { openDatabase } from '../../infra/postgres/pool.ts';
import { followScreenChanges } from '../../infra/postgres/screen-changes.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { connectTemporal } from '../../infra/temporal/client.ts';
import { createGrantWorkflows } from '../../infra/temporal/grant-workflows.ts';
import { deliverSignals, startOutboxRelay } from '../../infra/temporal/outbox-relay.ts';
import { followFacts, watchPools } from '../shared/facts.ts';
import { closingMs, inTime } from '../shared/in-time.ts';
import { policyFrom } from '../shared/policy-config.ts';
import { listenOn, runMain } from '../shared/run-main.ts';
import { watchSealingKeys } from '../shared/sealing-keys-watch.ts';
import { createBackoffice } from './app.ts';
import { backofficeVariables } from './config.ts';
import { startUpkeep } from './upkeep.ts';

await runMain({
  name: 'backoffice',
  variables: backofficeVariables,
  env: process.env,
  async start(service) {
    const { config, log, metrics } = service;
    const policy = policyFrom(config);
    const database = openDatabase({ url: config.DATABASE_URL, applicationName: 'backoffice' });
    watchPools(metrics, { main: database });
    const { clock, dependencies } = await followFacts(database, service);
    const changes = followScreenChanges({
      url: config.DATABASE_URL,
      applicationName: 'backoffice',
    });
    const sealer = createSealer(
      config.SEALING_KEYS.map(({ id, key }) => ({ id, key: Buffer.from(key) })),
    );
    const sealingKeys = watchSealingKeys('backoffice', { database, sealer, log, metrics });
    const temporal = connectTemporal({
      address: config.TEMPORAL_ADDRESS,
      namespace: config.TEMPORAL_NAMESPACE,
      identity: 'backoffice',
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
      writtenBy: ['backoffice'],
      deliverTo: { temporal: deliverSignals(workflows) },
    });
    const sessionLimits = {
      idleSeconds: config.SESSION_IDLE_SECONDS,
      absoluteSeconds: config.SESSION_ABSOLUTE_SECONDS,
    };
    const upkeep = startUpkeep({ database, clock, sessionLimits, log });
    const app = createBackoffice({
      store: { database, clock, policy },
      sealer,
      changes,
      publicUrl: config.PUBLIC_URL,
      trustedProxies: config.TRUST_PROXY,
      hstsIncludesSubdomains: config.HSTS_INCLUDE_SUBDOMAINS,
      sessionLimits,
      caTimeouts: {
        callMs: config.CA_CALL_TIMEOUT_SECONDS * 1000,
        authorizeMs: config.CA_AUTHORIZATION_TIMEOUT_SECONDS * 1000,
      },
      workflowsUrl: `${config.TEMPORAL_UI_URL}/namespaces/${config.TEMPORAL_NAMESPACE}/workflows`,
      log,
      metrics,
      dependencies: {
        ...dependencies,
        // Without it operators renew all the same, and signals wait in the outbox.
        temporal: { required: false, check: () => temporal.check() },
        sealing_keys: { required: false, check: sealingKeys.remark },
      },
      checkResponses: config.NODE_ENV !== 'production',
    });
    const http = await listenOn(app, service, 'BACKOFFICE_PORT');

    return {
      async stop() {
        // A request under way may be asking the CA: it gets the time that the process has.
        await http.stop(config.SHUTDOWN_GRACE_SECONDS * 700);
        clock.stop();
        // What the relay does not get done is delivered by another.
        await inTime(
          Promise.all([relay.stop(), changes.stop(), upkeep.stop(), sealingKeys.stop()]),
          config.SHUTDOWN_GRACE_SECONDS * 100,
          log,
        );
        await inTime(Promise.all([temporal.close(), database.end()]), closingMs, log);
      },
    };
  },
});
