import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createKafka } from '../../infra/kafka/client.ts';

export type TopicRecord = {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
};

export type TopicReader = {
  /** Those of a key so far, in the order of the topic. */
  of(key: string): TopicRecord['value'][];
  readonly all: readonly TopicRecord[];
  stop(): Promise<void>;
};

/** Reads a topic from its beginning, as somebody outside who is told what changed. */
export async function readTopic(brokers: readonly string[], topic: string): Promise<TopicReader> {
  const kafka = createKafka({ brokers, clientId: 'test', log: pino({ level: 'silent' }) });
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}` });
  const all: TopicRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage({ message: { key, value } }) {
      const parsed = JSON.parse(value?.toString() ?? '{}') as TopicRecord['value'];
      all.push({ key: key?.toString() ?? '', value: parsed });
      return Promise.resolve();
    },
  });
  return {
    all,
    of: (key) => all.filter((record) => record.key === key).map(({ value }) => value),
    stop: () => consumer.disconnect(),
  };
}
