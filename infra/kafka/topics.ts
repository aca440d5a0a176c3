import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, ITopicConfig } from 'kafkajs';
import { pino } from 'pino';
import { createKafka } from './client.ts';

export type Topic = {
  readonly topic: string;
  readonly partitions: number;
  /** Topic settings by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type TopicNames = {
  readonly signatures: string;
  readonly rejects: string;
  readonly accessChanges: string;
};

/** The topics of the product (DESIGN 7). */
export function productTopics({ signatures, rejects, accessChanges }: TopicNames): Topic[] {
  return [
    // The broker's own clock says when a record came: an event from the future is clamped to it.
    {
      topic: signatures,
      partitions: 8,
      settings: { 'message.timestamp.type': 'LogAppendTime' },
    },
    { topic: rejects, partitions: 1 },
    { topic: accessChanges, partitions: 8 },
  ];
}

/** Makes the topics that are missing, with the broker's own number of replicas, and answers their names; those that are there are left as they are. */
export async function ensureTopics(
  brokers: readonly string[],
  topics: readonly Topic[],
): Promise<string[]> {
  const log = pino({ level: 'silent' });
  const admin = createKafka({ brokers, clientId: 'ensure-topics', log }).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return [];
    // Answers false where somebody else was quicker, which is as good.
    await admin.createTopics({ topics: missing.map(toConfig), waitForLeaders: false });
    const names = missing.map(({ topic }) => topic);
    await untilLed(admin, names);
    return names;
  } finally {
    await admin.disconnect();
  }
}

const leadersDeadlineMs = 15_000;
const askAgainMs = 100;

/** A topic just made is not known to every broker yet; kafkajs' own wait takes that for an error. */
async function untilLed(admin: Admin, names: readonly string[]): Promise<void> {
  const endsAt = performance.now() + leadersDeadlineMs;
  for (;;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      if (topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return;
    } catch (error) {
      if (performance.now() >= endsAt) throw error;
    }
    if (performance.now() >= endsAt) throw new Error('the new topics have no leader yet');
    await delay(askAgainMs);
  }
}

const toConfig = ({ topic, partitions, settings = {} }: Topic): ITopicConfig => ({
  topic,
  numPartitions: partitions,
  replicationFactor: -1,
  configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
});
