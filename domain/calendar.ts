/**
 * Calendar arithmetic in an account's zone. It uses the time zone data of the Node it runs on, so it is never called inside a workflow:
 * a replay on another Node could come to another instant (reference/temporal.md 1).
 */

/** A date of the calendar in some zone, "2026-03-29". */
export type LocalDate = string;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** True for names that this Node's time zone data knows, such as "Europe/Lisbon". */
export function isTimeZone(timeZone: string): boolean {
  try {
    formatFor(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** The wall clock of a zone at an instant, told as if it were UTC, in ms. */
function wallClockMs(instant: number, timeZone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatFor(timeZone).formatToParts(instant)) {
    parts[type] = Number(value);
  }
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export function localDateOf(instant: Date, timeZone: string): LocalDate {
  return new Date(wallClockMs(instant.getTime(), timeZone)).toISOString().slice(0, 10);
}

export function nextDate(date: LocalDate): LocalDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/**
 * The first instant at which the wall clock of the zone shows this hour, or later, on this date. Where the hour is skipped by a change to summer
 * time that is the instant of the change; where it comes twice, its first coming.
 */
export function instantAt(date: LocalDate, hour: number, timeZone: string): Date {
  const wanted = Date.parse(`${date}T00:00:00Z`) + hour * 3_600_000;
  // Zones lie between UTC-12 and UTC+14 and shift by whole quarters of an hour: offsets a day before and a day after cover both sides of a change.
  const offsets = [wanted - 86_400_000, wanted + 86_400_000].map(
    (near) => wallClockMs(near, timeZone) - near,
  );
  const candidates = offsets.map((offset) => wanted - offset).sort((a, b) => a - b);
  for (const candidate of candidates) {
    if (wallClockMs(candidate, timeZone) === wanted) return new Date(candidate);
  }
  return new Date(firstInstantNotBefore(wanted, candidates, timeZone));
}

/** In the gap of a change: the change itself, found by halving. */
function firstInstantNotBefore(
  wanted: number,
  around: readonly number[],
  timeZone: string,
): number {
  let before = Math.min(...around) - 3_600_000;
  let after = Math.max(...around) + 3_600_000;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (wallClockMs(middle, timeZone) >= wanted) after = middle;
    else before = middle;
  }
  return after;
}
