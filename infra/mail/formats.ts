const dayMs = 86_400_000;

/**
 * Data as one harmless line of at most `maxLength` characters: no line break that could forge a header or a paragraph,
 * no direction mark that could turn the text round.
 */
export function oneLine(value: string, maxLength: number): string {
  const line = value
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}]/gu, '')
    .trim();
  const characters = Array.from(line);
  return characters.length <= maxLength
    ? line
    : `${characters.slice(0, maxLength - 1).join('')}\u2026`;
}

/** Text for the content or a quoted attribute of an HTML element. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** How the times of one mail are written: in the account's zone, which is always named. */
export interface InstantFormat {
  readonly timeZone: string;
  /** `Tue, 16 Jun 2026, 15:04 WEST`, for subjects. */
  short(instant: Date): string;
  /** `Tuesday, 16 June 2026 at 15:04 WEST (Europe/Lisbon)`. */
  long(instant: Date): string;
  /** Whole local dates from `now` to `instant`: 0 is today, never negative. Counted on the wall calendar, so a DST change adds or takes none. */
  datesUntil(now: Date, instant: Date): number;
}

/** An unknown zone is told in UTC: a reminder with another zone is better than none. */
export function instantFormat(locale: string, timeZone: string): InstantFormat {
  const zone = isTimeZone(timeZone) ? timeZone : 'UTC';
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone } as const;
  const short = new Intl.DateTimeFormat(locale, {
    ...clock,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZoneName: 'short',
  });
  const long = new Intl.DateTimeFormat(locale, {
    ...clock,
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZoneName: 'short',
  });
  const localDate = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' });
  const midnight = (instant: Date) => Date.parse(`${localDate.format(instant)}T00:00:00Z`);
  return {
    timeZone: zone,
    short: (instant) => short.format(instant),
    long: (instant) => `${long.format(instant)} (${zone})`,
    datesUntil: (now, instant) => Math.max(0, (midnight(instant) - midnight(now)) / dayMs),
  };
}

/** Percentage of the allowance used, rounded down: 100 only when nothing is left. */
export function usedPercent(used: number, allowance: number): number {
  return allowance > 0 ? Math.floor((used * 100) / allowance) : 100;
}

/** Length of a grant's term in days, rounded; at least 1. */
export function termDays(effectiveAt: Date, expiresAt: Date): number {
  return Math.max(1, Math.round((expiresAt.getTime() - effectiveAt.getTime()) / dayMs));
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
