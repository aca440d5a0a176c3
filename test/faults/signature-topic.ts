import { pino } from 'pino';
import { waitUntil } from '../../infra/development/wait-until.ts';
import { createKafka } from '../../infra/kafka/client.ts';
import { readTopic } from '../support/topic-records.ts';

/** The topic of signatures as it is, with nothing in between. */
export type SignatureTopic = {
  /** One after the last offset of each partition. */
  ends(): Promise<ReadonlyMap<number, number>>;
  /** Every record of a certificate, when all that is in the topic was read. */
  recordsOf(certificateId: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  stop(): Promise<void>;
};

export async function followTopic(
  brokers: readonly string[],
  topic: string,
): Promise<SignatureTopic> {
  const reader = await readTopic(brokers, topic);
  const log = pino({ level: 'silent' });
  const admin = createKafka({ brokers, clientId: 'storm', log }).admin();
  await admin.connect();
  const ends = async (): Promise<ReadonlyMap<number, number>> => {
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
  };
  return {
    ends,
    async recordsOf(certificateId) {
      const wanted = [...(await ends()).values()].reduce((sum, end) => sum + end, 0);
      await waitUntil(() => reader.all.length >= wanted, {
        what: `the ${wanted} records of ${topic} were not read`,
        deadlineMs: 20_000,
      });
      return reader.of(certificateId);
    },
    async stop() {
      await admin.disconnect();
      await reader.stop();
    },
  };
}
