import kafkajs, { type Kafka, type LogEntry } from 'kafkajs';
import type { Logger } from 'pino';
import { registerCodecs } from './codecs.ts';
import { patchConnections } from './connection-patch.ts';
import { patchIdleLoop } from './idle-patch.ts';

export type KafkaOptions = {
  readonly brokers: readonly string[];
  /** Shown in the broker's logs and quotas. */
  readonly clientId: string;
  readonly log: Logger;
};

/** One client for consumers, producers and administration; connects when first used. */
export function createKafka({ brokers, clientId, log }: KafkaOptions): Kafka {
  patchIdleLoop();
  patchConnections();
  registerCodecs();
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 6 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => {
      logEntry(log, entry);
    },
  });
}

/** Each attempt to reach a broker; whoever needs it says so when it cannot. */
const attempts = new Set(['Connection', 'BrokerPool', 'Broker']);
/** Said while the broker or the group is still getting ready; kafkajs tries again by itself. */
const harmless =
  /coordinator|leader|rebalanc|loading|not host this topic-partition|not aware of this member|consumer not running/i;

/** kafkajs calls every failed attempt an error. What has to wake somebody is told by our own code, after the attempts. */
function logEntry(log: Logger, { level, namespace, log: said }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, ...details } = said;
  const fields = { kafka: namespace, ...details };
  const isHarmless =
    attempts.has(namespace) || harmless.test(`${message} ${String(said['error'] ?? '')}`);
  const { ERROR, WARN } = kafkajs.logLevel;
  if (level > WARN || isHarmless) log.debug(fields, message);
  else if (level === ERROR) log.warn(fields, message);
  else log.info(fields, message);
}
