import {
  databaseVariables,
  httpVariables,
  kafkaVariables,
  processVariables,
  temporalVariables,
} from '../shared/common-config.ts';
import { nonEmpty, variable, wholeNumber } from '../shared/config.ts';
import { policyVariables } from '../shared/policy-config.ts';

const { KAFKA_BROKERS, KAFKA_SIGNATURES_TOPIC, KAFKA_REJECTS_TOPIC } = kafkaVariables;

/** The configuration of usage. */
export const usageVariables = {
  ...processVariables,
  ...httpVariables('USAGE_PORT', 3200),
  ...databaseVariables,
  ...temporalVariables,
  ...policyVariables,
  KAFKA_BROKERS,
  KAFKA_SIGNATURES_TOPIC,
  KAFKA_REJECTS_TOPIC,
  USAGE_GROUP_ID: variable('Kafka consumer group that shares the partitions', nonEmpty, {
    default: 'usage',
  }),
  USAGE_SESSION_TIMEOUT_MS: variable(
    'milliseconds without a heartbeat after which a reader counts as dead and others take its partitions',
    wholeNumber(6_000, 300_000),
    { default: '10000' },
  ),
  USAGE_FLUSH_MS: variable(
    'milliseconds between two flushes to the database',
    wholeNumber(50, 10_000),
    { default: '500' },
  ),
  USAGE_FLUSH_EVENTS: variable(
    'events that are flushed before their time',
    wholeNumber(1, 50_000),
    {
      default: '5000',
    },
  ),
  USAGE_MOST_PENDING_EVENTS: variable(
    'events read and not flushed beyond which reading waits',
    wholeNumber(1, 500_000),
    { default: '50000' },
  ),
  USAGE_EVENT_ID_DAYS: variable(
    'days for which a repeated event id is known as a duplicate',
    wholeNumber(1, 365),
    { default: '7' },
  ),
};
