import { usagePercent } from '../../../../domain/grant.ts';
import type { Language } from './languages.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export type Formats = ReturnType<typeof createFormats>;

/** Numbers, dates and spans as people of a language write them. Instants are RFC 3339 texts as the API gives them; zones are IANA names. */
export function createFormats(language: Language) {
  const locale = language === 'en' ? 'en-GB' : 'pt-PT';
  const numbers = new Intl.NumberFormat(locale, { useGrouping: 'always' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  const now = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(0, 'second');
  const list = new Intl.ListFormat(locale);
  const soon = language === 'en' ? 'in less than a minute' : 'em menos de um minuto';
  const alternatives = new Intl.ListFormat(locale, { type: 'disjunction' });
  const forZone = remember((timeZone: string) => ({
    day: new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }),
    shortDay: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone }),
    short: new Intl.DateTimeFormat(locale, {
      ...{ day: 'numeric', month: 'short', year: 'numeric' },
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone },
    }),
    long: new Intl.DateTimeFormat(locale, {
      ...{ day: 'numeric', month: 'long', year: 'numeric' },
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone },
    }),
    time: new Intl.DateTimeFormat(locale, {
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone },
    }),
  }));
  const unit = remember(
    (name: 'day' | 'hour' | 'minute' | 'second') =>
      new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'long' }),
  );

  return {
    locale,
    /** `1 000 000 000` */
    number: (value: number) => numbers.format(value),
    /** Rounded down: no figure reaches a limit that was not reached. */
    percent: (part: number, whole: number) =>
      `${numbers.format(Math.min(100, usagePercent(part, whole)))} %`,
    /** `16 Jun 2026` */
    shortDay: (instant: string, timeZone: string) =>
      forZone(timeZone).shortDay.format(new Date(instant)),
    /** `16 June 2026` */
    day: (instant: string, timeZone: string) => forZone(timeZone).day.format(new Date(instant)),
    /** `16 June 2026 at 15:04 (Lisbon)`; the zone is always named. */
    instant: (instant: string, timeZone: string) =>
      `${forZone(timeZone).long.format(new Date(instant))} (${zoneName(timeZone, language)})`,
    /** `Lisbon` */
    zone: (timeZone: string) => zoneName(timeZone, language),
    /** `16 Jun 2026, 15:04`, where the zone stands beside it already. */
    shortInstant: (instant: string, timeZone: string) =>
      forZone(timeZone).short.format(new Date(instant)),
    /** `15:04` */
    time: (instant: string, timeZone: string) => forZone(timeZone).time.format(new Date(instant)),
    /** `in 6 days`, `in less than a minute`, `3 minutes ago`, `now`: whole units, rounded towards now, so that no time is promised that is not there. */
    relative(instant: string, nowMs: number): string {
      const ms = Date.parse(instant) - nowMs;
      const [name, unitMs] = unitOf(Math.abs(ms));
      const count = Math.trunc(ms / unitMs);
      if (count === 0) return ms < 0 ? now : soon;
      return relative.format(count, name);
    },
    /** `6 days`, `3 hours`, `59 minutes`: rounded down. */
    span(ms: number): string {
      const [name, unitMs] = unitOf(ms);
      return unit(name).format(Math.max(0, Math.floor(ms / unitMs)));
    },
    /** How many of the units that `span` tells: 0 only within the last minute. */
    spanCount: (ms: number) => Math.max(0, Math.floor(ms / unitOf(ms)[1])),
    /** `60 days` */
    days: (seconds: number) => unit('day').format(Math.round((seconds * secondMs) / dayMs)),
    /** `40 seconds` up to two minutes, then `3 minutes`: rounded up, as of what has to be waited for. */
    wait: (seconds: number) =>
      seconds <= 120
        ? unit('second').format(Math.ceil(seconds))
        : unit('minute').format(Math.ceil(seconds / 60)),
    /** `a, b and c` */
    list: (items: readonly string[]) => list.format(items),
    /** `a, b or c` */
    anyOf: (items: readonly string[]) => alternatives.format(items),
  };
}

/** Days down to one, hours down to one, then minutes. */
function unitOf(ms: number): readonly ['day' | 'hour' | 'minute', number] {
  if (ms >= dayMs) return ['day', dayMs];
  if (ms >= hourMs) return ['hour', hourMs];
  return ['minute', minuteMs];
}

/** `1:05` */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Zones near home have a name of their own in Portuguese; the others keep that of the zone database. */
const portuguesePlaces: Readonly<Record<string, string>> = { Lisbon: 'Lisboa', Azores: 'Açores' };

/** The place a zone is named for: `Lisbon` of `Europe/Lisbon`. */
export function zoneName(timeZone: string, language: Language): string {
  const place = (timeZone.split('/').at(-1) ?? timeZone).replaceAll('_', ' ');
  return language === 'pt-PT' ? (portuguesePlaces[place] ?? place) : place;
}

function remember<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}
