import type { IHeaders } from 'kafkajs';
import type { RejectedRecord } from '../postgres/usage-rejects.ts';
import { RecordTooLarge, type Producer } from './producer.ts';

/**
 * Publishes a rejected record as it came, with the headers of Kafka Connect that most tools read and our stable reason (reference/kafka.md 2.6). With
 * those headers a record can become too large for the topic: then it goes without its value, which stays in PostgreSQL.
 */
export async function publishDeadLetter(
  producer: Producer,
  rejectsTopic: string,
  rejected: RejectedRecord,
): Promise<void> {
  const { key, value } = rejected;
  const headers: IHeaders = {
    ...rejected.headers,
    '__connect.errors.topic': rejected.topic,
    '__connect.errors.partition': String(rejected.partition),
    '__connect.errors.offset': String(rejected.offset),
    '__connect.errors.connector.name': 'usage',
    '__connect.errors.stage': 'VALUE_CONVERTER',
    '__connect.errors.exception.message': rejected.detail,
    'usage.error.reason': rejected.reason,
  };
  try {
    await producer.send(rejectsTopic, key, value, headers);
  } catch (error) {
    if (!(error instanceof RecordTooLarge)) throw error;
    const note = `left out, ${value?.length ?? 0} bytes`;
    await producer.send(rejectsTopic, null, null, { ...headers, 'usage.error.value': note });
  }
}
