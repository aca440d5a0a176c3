import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { IHeaders } from 'kafkajs';
import {
  mostValueBytes,
  parseSignatureRecord,
  signatureEventSchema,
  type Parsed,
} from './signature-event.ts';

const now = new Date('2026-03-01T12:00:00Z');
const appendedAt = new Date('2026-03-01T11:59:58Z');
const plain = { id: 'e1', certificateId: 'c1', time: '2026-03-01T11:59:57Z' };
const structured = {
  specversion: '1.0',
  type: 'pt.signstash.signature.applied.v1',
  id: 'e1',
  source: '/signers/7',
  subject: 'c1',
  time: '2026-03-01T11:59:57Z',
};
const binaryHeaders: IHeaders = {
  'content-type': 'application/json',
  ...Object.fromEntries(Object.entries(structured).map(([name, value]) => [`ce_${name}`, value])),
};

function parse(value: unknown, headers: IHeaders = {}, timestamp: Date | undefined = appendedAt) {
  const bytes =
    value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  return parseSignatureRecord({ offset: 0, key: null, value: bytes, headers, timestamp }, now);
}

const eventOf = (parsed: Parsed) => ('event' in parsed ? parsed.event : parsed);
const reasonOf = (parsed: Parsed) => ('reject' in parsed ? parsed.reject.reason : parsed);

describe('a signature event', () => {
  it('is one signature unless it says how many', () => {
    expect(eventOf(parse(plain))).toEqual({
      ...{ id: 'e1', certificateId: 'c1', at: new Date('2026-03-01T11:59:57Z'), count: 1 },
      grantId: undefined,
    });
    expect(eventOf(parse({ ...plain, count: 10_000_000, grantId: 'g1', more: [] }))).toMatchObject({
      count: 10_000_000,
      grantId: 'g1',
    });
  });

  it('comes as a structured CloudEvent, known by its content type or by specversion', () => {
    const event = {
      ...{ id: '/signers/7 e1', certificateId: 'c1', count: 3, grantId: 'g1' },
      at: new Date('2026-03-01T11:59:57Z'),
    };
    const value = { ...structured, data: { count: 3, grantId: 'g1' } };
    const contentType = 'application/cloudevents+json; charset=UTF-8';
    expect(eventOf(parse(value))).toEqual(event);
    expect(eventOf(parse(value, { 'content-type': Buffer.from(contentType) }))).toEqual(event);
    expect(reasonOf(parse(plain, { 'content-type': contentType }))).toBe('schema_unknown');
  });

  it('comes as a binary CloudEvent, with or without data', () => {
    expect(eventOf(parse({ count: 3, grantId: 'g1' }, binaryHeaders))).toEqual({
      ...{ id: '/signers/7 e1', certificateId: 'c1', count: 3, grantId: 'g1' },
      at: new Date('2026-03-01T11:59:57Z'),
    });
    expect(eventOf(parse(null, binaryHeaders))).toMatchObject({ count: 1 });
    expect(eventOf(parse(Buffer.alloc(0), binaryHeaders))).toMatchObject({ count: 1 });
  });

  it('of two sources with the same id is two events', () => {
    const other = { ...structured, source: '/signers/8' };
    expect(eventOf(parse(structured))).not.toEqual(eventOf(parse(other)));
  });

  it.each([
    ['malformed_json', Buffer.from('{"id":')],
    ['malformed_json', Buffer.from([0x22, 0xff, 0x22])],
    ['malformed_json', null],
    ['malformed_json', Buffer.alloc(0)],
    ['schema_unknown', 7],
    ['schema_unknown', [plain]],
    ['schema_unknown', { ...plain, id: undefined }],
    ['schema_unknown', { ...plain, id: '' }],
    ['schema_unknown', { ...plain, id: 'a\0b' }],
    ['schema_unknown', { ...plain, id: 'a'.repeat(201) }],
    ['schema_unknown', { ...structured, type: 'pt.signstash.signature.applied.v2' }],
    ['schema_unknown', { ...structured, specversion: '0.3' }],
    ['schema_unknown', { ...structured, source: undefined }],
    ['schema_unknown', { ...structured, data: 'three' }],
    ['missing_certificate', { ...plain, certificateId: undefined }],
    ['missing_certificate', { ...plain, certificateId: '' }],
    ['missing_certificate', { ...plain, certificateId: '\ud800' }],
    ['missing_certificate', { ...structured, subject: undefined }],
    ['bad_count', { ...plain, count: 0 }],
    ['bad_count', { ...plain, count: -1 }],
    ['bad_count', { ...plain, count: 10_000_001 }],
    ['bad_count', { ...plain, count: 1.5 }],
    ['bad_count', { ...plain, count: '3' }],
    ['bad_count', { ...plain, count: null }],
    ['bad_count', { ...structured, data: { count: 0 } }],
    ['bad_time', { ...plain, time: undefined }],
    ['bad_time', { ...plain, time: 1772366397 }],
    ['bad_time', { ...plain, time: '2026-03-01' }],
    ['bad_time', { ...plain, time: '2026-03-01T11:59:57' }],
    ['bad_time', { ...plain, time: '2026-02-30T11:59:57Z' }],
    ['bad_time', { ...plain, time: '2026-03-01T24:00:00Z' }],
    ['bad_time', { ...plain, time: 'yesterday' }],
    ['too_large', Buffer.from(JSON.stringify({ ...plain, more: 'x'.repeat(mostValueBytes) }))],
  ])('is rejected as %s: %j', (reason, value) => {
    expect(reasonOf(parse(value))).toBe(reason);
  });

  it.each([
    ['2026-03-01T11:59:57.999999999Z', '2026-03-01T11:59:57.999Z'],
    ['2026-03-01t11:59:57z', '2026-03-01T11:59:57.000Z'],
    ['2026-03-01 12:59:57+01:00', '2026-03-01T11:59:57.000Z'],
    ['2025-12-31T23:59:60Z', '2025-12-31T23:59:59.000Z'],
    ['2024-02-29T00:00:00-00:30', '2024-02-29T00:30:00.000Z'],
    ['2026-03-01T12:04:58Z', '2026-03-01T12:04:58.000Z'],
  ])('made at %s counts at %s', (time, counted) => {
    expect(eventOf(parse({ ...plain, time }))).toMatchObject({ at: new Date(counted) });
  });

  it('from more than five minutes ahead counts when it was appended, or now where that lies ahead too', () => {
    const value = { ...plain, time: '2026-03-01T12:04:58.001Z' };
    const ahead = new Date('2026-03-05T00:00:00Z');
    const at = (timestamp: Date | undefined, time = value.time) => {
      const record = { offset: 0, key: null, headers: {}, timestamp };
      const bytes = Buffer.from(JSON.stringify({ ...value, time }));
      return eventOf(parseSignatureRecord({ ...record, value: bytes }, now));
    };
    expect(at(appendedAt)).toMatchObject({ at: appendedAt });
    expect(at(ahead, '2026-03-05T00:00:00Z')).toMatchObject({ at: now });
    expect(at(undefined, '2026-03-05T00:00:00Z')).toMatchObject({ at: now });
  });

  it.each([[null], [7], [''], ['a\nb'], ['g'.repeat(201)]])(
    'is counted though its grant cannot be one: %j',
    (grantId) => {
      expect(eventOf(parse({ ...plain, grantId }))).toMatchObject({ grantId: undefined });
    },
  );

  it('is never quoted in the detail of its rejection', () => {
    const parsed = parse({ id: 'secret', certificateId: 7, time: 'secret', count: 'secret' });
    expect(JSON.stringify(parsed)).not.toContain('secret');
    expect(parsed).toMatchObject({ reject: { detail: expect.stringContaining('certificateId') } });
  });
});

describe('the JSON Schema for signing services', () => {
  it('is the one that events are parsed with', async () => {
    const file = new URL('./signature-event.schema.json', import.meta.url);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(signatureEventSchema());
  });

  it('agrees with the parser', () => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
      signatureEventSchema() as object,
    );
    const good = [plain, { ...plain, count: 3, grantId: 'g' }, structured];
    const bad = [
      { ...plain, count: 0 },
      { ...plain, id: '' },
      { ...structured, type: 'other' },
    ];
    expect(good.map((value) => validate(value))).toEqual([true, true, true]);
    expect(bad.map((value) => validate(value))).toEqual([false, false, false]);
    expect(good.every((value) => 'event' in parse(value))).toBe(true);
    expect(bad.some((value) => 'event' in parse(value))).toBe(false);
  });
});
