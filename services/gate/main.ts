import { Gauge } from 'prom-client';
import { recordApiKeyUses } from '../../infra/postgres/api-keys.ts';
import { readGatePicture } from '../../infra/postgres/gate-picture.ts';
import { listenTo } from '../../infra/postgres/listen.ts';
import { openDatabase } from '../../infra/postgres/pool.ts';
import { createSealer } from '../../infra/postgres/sealing.ts';
import { answerUnavailable } from '../shared/answer-unavailable.ts';
import { createCaClients } from '../shared/ca-clients.ts';
import { createHttpApp } from '../shared/http.ts';
import { createCaFigures } from '../shared/ca-figures.ts';
import { followFacts, watchPools } from '../shared/facts.ts';
import { closingMs, inTime } from '../shared/in-time.ts';
import { policyFrom } from '../shared/policy-config.ts';
import { listenOn, runMain } from '../shared/run-main.ts';
import { watchSealingKeys } from '../shared/sealing-keys-watch.ts';
import { gateVariables } from './config.ts';
import { keepKeyUses } from './key-uses.ts';
import { keepPicture } from './picture.ts';
import { gateRoutes } from './routes.ts';

const writeUsesEveryMs = 60_000;
/** The token is refreshed with a row locked, so the CA gets less time than the database's lock_timeout. */
const caTimeouts = { callMs: 5_000, readTotalMs: 5_000 };

await runMain({
  name: 'gate',
  variables: gateVariables,
  env: process.env,
  async start(service) {
    const { config, log, metrics } = service;
    const url = config.DATABASE_URL;
    const database = openDatabase({ url, applicationName: 'gate' });
    // Connections of their own: refreshes that wait for a slow CA hold those of the others, and must not make the picture old.
    const reading = openDatabase({ url, applicationName: 'gate reading', maxConnections: 2 });
    watchPools(metrics, { main: database, reading });
    const { clock, dependencies } = await followFacts(reading, service);
    const picture = keepPicture({
      read: () => readGatePicture(reading, clock.now()),
      now: () => clock.now(),
      readEveryMs: config.GATE_READ_SECONDS * 1000,
      staleAfterMs: config.GATE_STALE_SECONDS * 1000,
      onError: (err) => {
        log.warn({ err }, 'the facts could not be read');
      },
    });
    await picture.readNow();
    const listening = listenTo({ url, applicationName: 'gate', channel: 'access_changed' }, () => {
      picture.hasten();
    });

    const uses = keepKeyUses({
      write: (written) => recordApiKeyUses(reading, written),
      clock,
      everyMs: writeUsesEveryMs,
      onError: (err) => {
        log.warn({ err }, 'the last uses of API keys could not be written');
      },
    });

    new Gauge({
      name: 'gate_picture_age_seconds',
      help: 'Seconds since the last complete read of the facts began.',
      registers: [metrics],
      collect() {
        this.set(picture.ageSeconds());
      },
    });
    const sealer = createSealer(config.SEALING_KEYS);
    const sealingKeys = watchSealingKeys('gate', { database, sealer, log, metrics });
    const store = { database, clock, policy: policyFrom(config) };
    const ca = createCaFigures(metrics);
    const caClients = createCaClients(sealer, caTimeouts, ca.onCall);
    const app = createHttpApp({
      log,
      metrics,
      title: 'Certificate Access gate',
      version: '1',
      extraMiddleware: [answerUnavailable],
      routes: gateRoutes({
        ...{ store, sealer, caClients, picture, metrics, uses },
        activationsPerMinute: config.GATE_ACTIVATIONS_PER_MINUTE,
      }),
      dependencies: {
        ...dependencies,
        picture() {
          picture.get();
          return Promise.resolve(`${picture.ageSeconds().toFixed(1)} s old`);
        },
        // Without it certificates whose tokens are good sign all the same.
        ca: ca.dependency,
        sealing_keys: { required: false, check: sealingKeys.remark },
      },
      checkResponses: config.NODE_ENV !== 'production',
    });
    const http = await listenOn(app, service, 'GATE_PORT');

    return {
      async stop() {
        // A refresh under way holds a token that is good for one use: it gets the time that the process has.
        await http.stop(config.SHUTDOWN_GRACE_SECONDS * 700);
        await inTime(
          Promise.all([picture.stop(), listening.stop(), uses.stop(), sealingKeys.stop()]),
          closingMs,
          log,
        );
        clock.stop();
        await inTime(Promise.all([database.end(), reading.end()]), closingMs, log);
      },
    };
  },
});
