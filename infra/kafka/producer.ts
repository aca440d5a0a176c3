import kafkajs, { type IHeaders, type Producer as KafkaProducer } from 'kafkajs';
import { createKafka, type KafkaOptions } from './client.ts';
import { closeInTime, withDeadline } from './deadline.ts';

export type Producer = {
  /** Resolves when all replicas in sync have the record; rejects otherwise, at the latest after the deadline (the record may arrive all the same). */
  send(
    topic: string,
    key: string | Buffer | null,
    value: string | Buffer | null,
    headers?: IHeaders,
  ): Promise<void>;
  /** Lets records under way arrive and disconnects. */
  stop(): Promise<void>;
};

/** A record that the broker will never take as it is. */
export class RecordTooLarge extends Error {
  override readonly name = 'RecordTooLarge';
}

export type ProducerOptions = KafkaOptions & { readonly deadlineMs?: number };

const allReplicas = -1;

/** Connects at the first record, and again after an outage. */
export function createProducer({ deadlineMs = 8_000, ...options }: ProducerOptions): Producer {
  const producer = createKafka(options).producer({
    // The same partition for a key as other clients choose.
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    // A misspelt topic is an error, not a new topic.
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 },
  });
  let connected: Promise<void> | undefined;
  const forget = () => {
    connected = undefined;
  };
  producer.on('producer.disconnect', forget);
  const connect = (): Promise<void> => {
    if (connected === undefined) {
      connected = producer.connect();
      connected.catch(forget);
    }
    return connected;
  };

  return {
    async send(topic, key, value, headers = {}) {
      const sent = connect().then(() => sendOne(producer, topic, { key, value, headers }));
      await withDeadline(sent, deadlineMs, `Kafka did not take a record for ${topic}`);
    },
    async stop() {
      if (connected === undefined) return;
      await closeInTime(connected.then(() => producer.disconnect()));
    },
  };
}

async function sendOne(
  producer: KafkaProducer,
  topic: string,
  message: { key: string | Buffer | null; value: string | Buffer | null; headers: IHeaders },
): Promise<void> {
  try {
    await producer.send({ topic, acks: allReplicas, timeout: 5_000, messages: [message] });
  } catch (error) {
    const cause = error instanceof kafkajs.KafkaJSProtocolError ? error : undefined;
    if (cause?.type === 'MESSAGE_TOO_LARGE') throw new RecordTooLarge(cause.message, { cause });
    throw error;
  }
}
