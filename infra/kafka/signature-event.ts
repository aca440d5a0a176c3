import type { IHeaders } from 'kafkajs';
import { z } from 'zod';
import {
  countedAt,
  mostSignaturesPerEvent,
  type RejectReason,
  type SignatureEvent,
} from '../../domain/signature-event.ts';
import type { SourceRecord } from './signature-source.ts';

/** The CloudEvents type of a signature event; another version of what it means gets another type. */
const signatureEventType = 'pt.signstash.signature.applied.v1';
/** A larger value is no signature event. */
export const mostValueBytes = 65_536;

export type Parsed =
  | { readonly event: SignatureEvent }
  | { readonly reject: { readonly reason: RejectReason; readonly detail: string } };

/** Text that PostgreSQL stores and an index holds: no control characters, no lone surrogates, and not without end. */
const name = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, 'is not a text of 1 to 200 characters');
const certificateId = name.describe('The certificate that was signed with, by our id.');
const time = z
  .string()
  .refine((text) => instantOf(text) !== undefined, 'is not an RFC 3339 instant')
  .meta({ format: 'date-time' })
  .describe('When the signatures were made; of several, the last.');
const count = z
  .int()
  .min(1)
  .max(mostSignaturesPerEvent)
  .optional()
  .describe('How many signatures; 1 unless told.');
// A signature is never lost over its grant: what cannot be the id of one counts by its time.
const grantId = name
  .optional()
  .catch(undefined)
  .describe('The grant that the gate named when it let the signature be made.');

/** The plain form: the value of a record, as JSON. Fields that are not named here are ignored. */
const plainEvent = z
  .looseObject({
    id: name.describe('Of this event: the same id about the same certificate counts once.'),
    certificateId,
    time,
    count,
    grantId,
  })
  .describe('Signatures made with one certificate.');

/** CloudEvents 1.0, structured; the binary form has the attributes in headers `ce_*` and `data` as its value. */
const cloudEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    type: z.literal(signatureEventType),
    id: name.describe('Of this event, among those of its source.'),
    source: name.describe('Who sends it.'),
    subject: certificateId,
    time,
    data: z.looseObject({ count, grantId }).nullish(),
  })
  .describe('The same as a CloudEvent.');

/** JSON Schema of what signing services send; kept as signature-event.schema.json for them. */
export function signatureEventSchema(): unknown {
  const schema = z.toJSONSchema(z.union([plainEvent, cloudEvent]), { io: 'input' });
  return { title: 'Signature event', ...schema };
}

/**
 * What a record says, or why it can never be counted (edge of the process: nothing behind it sees the raw value). `now` bounds a record without a timestamp of
 * its own. Never throws, and never repeats text of the record in a detail.
 */
export function parseSignatureRecord(record: SourceRecord, now: Date): Parsed {
  const { value, headers, timestamp } = record;
  if (value !== null && value.length > mostValueBytes) {
    return reject('too_large', `the value has ${value.length} bytes, ${mostValueBytes} at most`);
  }
  const arrivedAt = timestamp !== undefined && timestamp < now ? timestamp : now;
  if (headerOf(headers, 'ce_specversion') !== undefined) {
    const data = value === null || value.length === 0 ? { json: undefined } : jsonOf(value);
    if (data === undefined) return reject('malformed_json', 'the value is not JSON in UTF-8');
    return parseCloudEvent({ ...attributesOf(headers), data: data.json }, arrivedAt);
  }
  const parsed = value === null ? undefined : jsonOf(value);
  if (parsed === undefined) return reject('malformed_json', 'the value is not JSON in UTF-8');
  const isCloudEvent =
    isStructured(headers) ||
    (typeof parsed.json === 'object' && parsed.json !== null && 'specversion' in parsed.json);
  return isCloudEvent
    ? parseCloudEvent(parsed.json, arrivedAt)
    : parsePlainEvent(parsed.json, arrivedAt);
}

function parsePlainEvent(json: unknown, arrivedAt: Date): Parsed {
  const parsed = plainEvent.safeParse(json);
  if (!parsed.success) return rejectFor(parsed.error);
  const { id, ...fields } = parsed.data;
  return { event: eventOf({ ...fields, id }, arrivedAt) };
}

function parseCloudEvent(json: unknown, arrivedAt: Date): Parsed {
  const parsed = cloudEvent.safeParse(json);
  if (!parsed.success) return rejectFor(parsed.error);
  const { id, source, subject, time: madeAt, data } = parsed.data;
  // An id of a CloudEvent is unique within its source only.
  const fields = { id: `${source} ${id}`, certificateId: subject, time: madeAt };
  return { event: eventOf({ ...fields, count: data?.count, grantId: data?.grantId }, arrivedAt) };
}

function eventOf(
  fields: {
    readonly id: string;
    readonly certificateId: string;
    readonly time: string;
    readonly count?: number | undefined;
    readonly grantId?: string | undefined;
  },
  arrivedAt: Date,
): SignatureEvent {
  const claimedAt = instantOf(fields.time) ?? arrivedAt;
  return {
    id: fields.id,
    certificateId: fields.certificateId,
    at: countedAt(claimedAt, arrivedAt),
    count: fields.count ?? 1,
    grantId: fields.grantId,
  };
}

const reasonByField: Readonly<Record<string, RejectReason>> = {
  certificateId: 'missing_certificate',
  subject: 'missing_certificate',
  count: 'bad_count',
  time: 'bad_time',
};

/** Of several faults the one of the whole shape counts first. */
function rejectFor({ issues }: z.ZodError): Parsed {
  const faults = issues.map(({ path, message }) => {
    const field = String(path.at(-1) ?? 'value');
    return { reason: reasonByField[field] ?? 'schema_unknown', detail: `${field}: ${message}` };
  });
  const shape = faults.find(({ reason }) => reason === 'schema_unknown');
  const { reason } = shape ?? faults[0] ?? { reason: 'schema_unknown' };
  return reject(reason, faults.map(({ detail }) => detail).join('; '));
}

const reject = (reason: RejectReason, detail: string): Parsed => ({ reject: { reason, detail } });

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOf(value: Buffer): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(utf8.decode(value)) as unknown };
  } catch {
    return undefined;
  }
}

function headerOf(headers: IHeaders, wanted: string): string | undefined {
  const value = headers[wanted];
  const first = Array.isArray(value) ? value[0] : value;
  return first?.toString();
}

function isStructured(headers: IHeaders): boolean {
  const contentType = headerOf(headers, 'content-type') ?? '';
  return /^application\/cloudevents\+json\s*(;|$)/i.test(contentType);
}

function attributesOf(headers: IHeaders): Record<string, string | undefined> {
  const names = ['specversion', 'type', 'id', 'source', 'subject', 'time'];
  return Object.fromEntries(names.map((each) => [each, headerOf(headers, `ce_${each}`)]));
}

const rfc3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Strictly RFC 3339: `Date.parse` takes other forms too, and the 31st of months that have none. A leap second counts as the second before it. */
function instantOf(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', offset] =
    rfc3339.exec(text) ?? [];
  if (!year || !month || !day || !hour || !minute || !second || !offset) return undefined;
  const date = `${year}-${month}-${day}`;
  const midnight = new Date(`${date}T00:00:00Z`);
  const isDate = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
  if (!isDate || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const shown = second === '60' ? '59' : second;
  const ms = fraction.slice(0, 4);
  return new Date(`${date}T${hour}:${minute}:${shown}${ms}${offset.toUpperCase()}`);
}
