import { expect, it } from '@jest/globals';
import { clockText, createFormats, zoneName } from './formats.ts';

const portuguese = createFormats('pt-PT');
const english = createFormats('en');
const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ');

it('groups big numbers in both languages, four digits too', () => {
  expect(plain(portuguese.number(1_000_000_000))).toBe('1 000 000 000');
  expect(plain(portuguese.number(1_000))).toBe('1 000');
  expect(english.number(1_000_000_000)).toBe('1,000,000,000');
});

it('shows 100 % only when nothing is left', () => {
  expect(english.percent(999_999_999, 1_000_000_000)).toBe('99 %');
  expect(english.percent(1_000_000_000, 1_000_000_000)).toBe('100 %');
  expect(english.percent(1_000_000_007, 1_000_000_000)).toBe('100 %');
});

it('tells an instant in the account’s zone and names it, on both sides of a change of clocks', () => {
  // Lisbon leaves summer time on 25 October 2026 at 01:00 UTC.
  expect(english.instant('2026-10-25T00:30:00.000Z', 'Europe/Lisbon')).toBe(
    '25 October 2026 at 01:30 (Lisbon)',
  );
  expect(english.instant('2026-10-25T01:30:00.000Z', 'Europe/Lisbon')).toBe(
    '25 October 2026 at 01:30 (Lisbon)',
  );
  expect(portuguese.instant('2026-06-16T14:04:00.000Z', 'Atlantic/Azores')).toBe(
    '16 de junho de 2026 às 14:04 (Açores)',
  );
});

it('rounds what is left down, so that no time is promised that is not there', () => {
  const day = 86_400_000;
  expect(english.span(60 * day - 1)).toBe('59 days');
  expect(english.span(day)).toBe('1 day');
  expect(english.span(day - 1)).toBe('23 hours');
  expect(english.span(3_600_000 - 1)).toBe('59 minutes');
  expect(english.span(59_999)).toBe('0 minutes');
  expect([2 * day, day, 59_999].map(english.spanCount)).toEqual([2, 1, 0]);
});

it('tells how far off an instant is, before and after', () => {
  const at = '2026-06-16T14:00:00.000Z';
  const ms = Date.parse(at);
  expect(english.relative(at, ms - 6 * 86_400_000 - 1)).toBe('in 6 days');
  expect(english.relative(at, ms - 60_000)).toBe('in 1 minute');
  expect(english.relative(at, ms - 59_999)).toBe('in less than a minute');
  expect(portuguese.relative(at, ms - 59_999)).toBe('em menos de um minuto');
  expect(english.relative(at, ms + 1)).toBe('now');
  expect(portuguese.relative(at, ms + 3_600_000)).toBe('há 1 hora');
});

it('writes seconds as a clock', () => {
  expect([120, 60, 9.2, 0, -3].map(clockText)).toEqual(['2:00', '1:00', '0:10', '0:00', '0:00']);
});

it('names a zone by its place, at home in Portuguese', () => {
  expect(zoneName('Europe/Lisbon', 'pt-PT')).toBe('Lisboa');
  expect(zoneName('Europe/Lisbon', 'en')).toBe('Lisbon');
  expect(zoneName('America/Argentina/Buenos_Aires', 'en')).toBe('Buenos Aires');
  expect(zoneName('UTC', 'pt-PT')).toBe('UTC');
});
