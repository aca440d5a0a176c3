/** What a signing service reports of signatures that it made: one event, one or more signatures of one certificate. */
export type SignatureEvent = {
  /** Given by the reporter; the same id about the same certificate is the same event, however often it is sent. */
  readonly id: string;
  readonly certificateId: string;
  /** When the signatures were made; of several, the last. Its whole second decides which grant they count on. */
  readonly at: Date;
  /** How many signatures, 1 to `mostSignaturesPerEvent`. */
  readonly count: number;
  /** The grant that the signer was told by the gate; decides before the time does. */
  readonly grantId?: string | undefined;
};

/** Why a record cannot be counted, ever: stable words for logs, tables and headers (reference/kafka.md 2.6). */
export type RejectReason =
  | 'malformed_json'
  | 'schema_unknown'
  | 'missing_certificate'
  | 'bad_count'
  | 'bad_time'
  | 'too_large';

/** Above it an event is taken for a fault of its sender. */
export const mostSignaturesPerEvent = 10_000_000;

/** Clocks of signers may run this far ahead of ours. */
const toleratedMs = 300_000;

/**
 * When the signatures count as made. An event from further in the future than clocks can differ counts as made when it arrived, or a fast clock could
 * put signatures on a grant that is yet to come.
 */
export function countedAt(claimedAt: Date, arrivedAt: Date): Date {
  return claimedAt.getTime() > arrivedAt.getTime() + toleratedMs ? arrivedAt : claimedAt;
}
