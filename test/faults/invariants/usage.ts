import type { Evidence } from '../evidence.ts';

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, each) => sum + each, 0);

/** Every event in the topic is counted once, however often it lies there: on grants of its certificate, or in suspense where it belongs to none. */
export function everyEventCountedOnce(evidence: Evidence): string[] {
  return evidence.certificates.flatMap(({ certificateId }) => {
    const events = new Map(
      evidence.topic
        .filter((event) => event.certificateId === certificateId)
        .map(({ eventId, count }) => [eventId, count]),
    );
    const inTopic = sumOf([...events.values()]);
    const onGrants = sumOf(
      evidence.grants
        .filter((grant) => grant.certificateId === certificateId)
        .map(({ used }) => used),
    );
    const counted = onGrants + (evidence.suspended.get(certificateId) ?? 0);
    return counted === inTopic
      ? []
      : [`${certificateId}: ${inTopic} signatures in the topic, ${counted} counted`];
  });
}

/** What Kafka said it has is in the topic: else the one before would prove nothing. */
export function everyEventArrived({ record, topic }: Evidence): string[] {
  const there = new Set(topic.map(({ eventId }) => eventId));
  return record.events.flatMap(({ eventId, isAcknowledged }) =>
    isAcknowledged && !there.has(eventId) ? [`${eventId} is not in the topic`] : [],
  );
}
