import {
  databaseVariables,
  kafkaVariables,
  processVariables,
  sealingVariables,
} from '../shared/common-config.ts';
import { nonEmpty, portNumber, urlOf, variable, commaList } from '../shared/config.ts';

const port = (what: string, defaultPort: number) =>
  variable(
    `port of ${what}`,
    portNumber.refine((value) => value > 0, 'a port above 0 is expected'),
    {
      default: String(defaultPort),
    },
  );

/** What `npm start` reads. Everything runs on 127.0.0.1. */
export const stackVariables = {
  CERTIFICATE_ACCESS_DATA: variable(
    'folder of the data, the logs and stack.json; another one lets a second stack run beside',
    nonEmpty,
    { default: '.local' },
  ),
  BACKOFFICE_PORT: port('the backoffice', 3000),
  GATE_PORT: port('the gate', 3100),
  USAGE_PORT: port('health and figures of usage', 3200),
  WORKER_HTTP_PORT: port('health and figures of the worker', 3300),
  CA_SIMULATOR_PORT: port('the CA simulator', 4400),
  MAILBOX_SMTP_PORT: port('the mailbox, for mail', 1025),
  MAILBOX_HTTP_PORT: port('the mailbox, for its page', 8025),
  TEMPORAL_PORT: port('Temporal', 7233),
  TEMPORAL_UI_PORT: port('the Temporal UI', 8233),
  KAFKA_PORT: port('Kafka', 9092),
  POSTGRES_PORT: port('PostgreSQL', 5433),
  DATABASE_URL: variable(
    'a PostgreSQL to use instead of starting one, as somebody who may create roles there',
    urlOf('postgres', 'postgresql').optional(),
    { secret: true },
  ),
  TEMPORAL_ADDRESS: variable(
    'a Temporal to use instead of starting one, host:port',
    nonEmpty.optional(),
  ),
  TEMPORAL_NAMESPACE: variable('Temporal namespace', nonEmpty, { default: 'default' }),
  KAFKA_BROKERS: variable(
    'Kafka brokers to use instead of starting one, host:port with commas between them',
    commaList.optional(),
  ),
};

/** What the demonstration in containers reads: the seed and the stream of signatures, beside services that run already. */
export const demonstrationVariables = {
  ...processVariables,
  ...databaseVariables,
  ...sealingVariables,
  ...kafkaVariables,
  DEMONSTRATION_BACKOFFICE_URL: variable('the backoffice, as browsers reach it', urlOf('http'), {
    default: 'http://127.0.0.1:3000',
  }),
  DEMONSTRATION_CA_SIMULATOR_URL: variable('the CA simulator', urlOf('http'), {
    default: 'http://127.0.0.1:4400',
  }),
  DEMONSTRATION_GATE_URL: variable('the gate', urlOf('http'), {
    default: 'http://127.0.0.1:3100',
  }),
  DEMONSTRATION_DATA: variable('folder that keeps the API key of the demonstration', nonEmpty, {
    default: '.local/demonstration',
  }),
};
