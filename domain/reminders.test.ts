import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instantAt, isTimeZone, localDateOf, nextDate } from './calendar.ts';
import { nextReminder, type ReminderWindow } from './reminders.ts';

const lisbon = { timeZone: 'Europe/Lisbon', reminderHour: 9 };
const at = (text: string) => new Date(text);

describe('the wall clock of an account', () => {
  it.each([
    ['2026-03-28', 9, '2026-03-28T09:00:00.000Z'],
    ['2026-03-29', 9, '2026-03-29T08:00:00.000Z'],
    ['2026-10-24', 9, '2026-10-24T08:00:00.000Z'],
    ['2026-10-25', 9, '2026-10-25T09:00:00.000Z'],
    // 01:00 to 02:00 is skipped in the night to summer time, and comes twice in the night back.
    ['2026-03-29', 1, '2026-03-29T01:00:00.000Z'],
    ['2026-10-25', 1, '2026-10-25T00:00:00.000Z'],
    ['2026-03-29', 0, '2026-03-29T00:00:00.000Z'],
    ['2026-10-25', 0, '2026-10-24T23:00:00.000Z'],
  ])('shows %s %s:00 in Lisbon at %s', (date, hour, instant) => {
    expect(instantAt(date, hour, 'Europe/Lisbon').toISOString()).toBe(instant);
  });

  it.each([
    ['Atlantic/Azores', '2026-07-01T09:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-06-30T19:00:00.000Z'],
    ['Etc/GMT+12', '2026-07-01T21:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-06-30T22:30:00.000Z'],
    ['Asia/Kathmandu', '2026-07-01T03:15:00.000Z'],
  ])('is right in %s too', (zone, instant) => {
    const found = instantAt('2026-07-01', 9, zone);
    expect(localDateOf(found, zone)).toBe('2026-07-01');
    expect(found.toISOString()).toBe(instant);
  });

  it('gives for every date and hour the first instant that is not before it', () => {
    const zones = fc.constantFrom(
      'Europe/Lisbon',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'Asia/Tokyo',
    );
    const days = fc.integer({ min: 0, max: 730 });
    fc.assert(
      fc.property(zones, days, fc.integer({ min: 0, max: 23 }), (zone, day, hour) => {
        const date = new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
        const found = instantAt(date, hour, zone);
        expect(localDateOf(found, zone)).toBe(date);
        const justBefore = new Date(found.getTime() - 1000);
        const shown = Number(
          new Intl.DateTimeFormat('en-GB', {
            timeZone: zone,
            hour: '2-digit',
            hourCycle: 'h23',
          }).format(justBefore),
        );
        const sameDate = localDateOf(justBefore, zone) === date;
        expect(sameDate && shown >= hour).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('knows the zones of the time zone data and no others', () => {
    expect(isTimeZone('Europe/Lisbon')).toBe(true);
    expect(isTimeZone('Europe/Lisboa')).toBe(false);
  });
});

/** Every reminder of a window, as a worker that is always up would send them. */
function allReminders(window: ReminderWindow, schedule = lisbon) {
  const sent: { slot: string; at: string }[] = [];
  let now = window.startsAt;
  let lastSlot: string | undefined;
  for (let i = 0; i < 100; i += 1) {
    const next = nextReminder(window, schedule, lastSlot, now);
    if (next === undefined) return sent;
    now = next.dueAt > now ? next.dueAt : now;
    sent.push({ slot: next.slot, at: now.toISOString() });
    lastSlot = next.slot;
  }
  throw new Error('reminders without end');
}

describe('reminders', () => {
  it('come at the start of the week and then daily at the hour, across the change to summer time', () => {
    const window = { startsAt: at('2026-03-25T15:04:00Z'), endsAt: at('2026-04-01T15:04:00Z') };
    expect(allReminders(window).map((reminder) => reminder.at)).toEqual([
      '2026-03-25T15:04:00.000Z',
      '2026-03-26T09:00:00.000Z',
      '2026-03-27T09:00:00.000Z',
      '2026-03-28T09:00:00.000Z',
      '2026-03-29T08:00:00.000Z',
      '2026-03-30T08:00:00.000Z',
      '2026-03-31T08:00:00.000Z',
      '2026-04-01T08:00:00.000Z',
    ]);
  });

  it('wait for the hour when the window starts before it', () => {
    const window = { startsAt: at('2026-06-10T06:00:00Z'), endsAt: at('2026-06-12T06:00:00Z') };
    expect(allReminders(window).map((reminder) => reminder.at)).toEqual([
      '2026-06-10T08:00:00.000Z',
      '2026-06-11T08:00:00.000Z',
    ]);
  });

  it('come once, at the start, for a grant of minutes', () => {
    const window = { startsAt: at('2026-06-10T06:00:00Z'), endsAt: at('2026-06-10T06:03:00Z') };
    expect(allReminders(window)).toEqual([{ slot: '2026-06-10', at: '2026-06-10T06:00:00.000Z' }]);
  });

  it('are not made up for after an outage: one mail, of today', () => {
    const window = { startsAt: at('2026-06-10T08:00:00Z'), endsAt: at('2026-06-17T08:00:00Z') };
    expect(nextReminder(window, lisbon, '2026-06-10', at('2026-06-14T12:00:00Z'))).toEqual({
      slot: '2026-06-14',
      dueAt: at('2026-06-14T08:00:00Z'),
    });
  });

  it('come late rather than never when the only one was missed', () => {
    const window = { startsAt: at('2026-06-10T21:00:00Z'), endsAt: at('2026-06-11T06:00:00Z') };
    const next = nextReminder(window, lisbon, undefined, at('2026-06-10T23:30:00Z'));
    expect(next).toEqual({ slot: '2026-06-11', dueAt: window.startsAt });
  });

  it('are never two on one local date, never before the window and never at its end or after', () => {
    const zones = fc.constantFrom(
      'Europe/Lisbon',
      'Atlantic/Azores',
      'Pacific/Kiritimati',
      'America/St_Johns',
    );
    const starts = fc
      .integer({ min: 0, max: 365 * 24 * 60 })
      .map((m) => new Date(Date.UTC(2026, 0, 1, 0, m)));
    fc.assert(
      fc.property(
        zones,
        starts,
        fc.integer({ min: 1, max: 10 * 24 * 60 }),
        fc.integer({ min: 0, max: 23 }),
        (timeZone, startsAt, minutes, reminderHour) => {
          const window = { startsAt, endsAt: new Date(startsAt.getTime() + minutes * 60_000) };
          const sent = allReminders(window, { timeZone, reminderHour });
          const slots = sent.map(({ slot }) => slot);
          expect(new Set(slots).size).toBe(slots.length);
          expect(sent.length).toBeGreaterThanOrEqual(1);
          for (const reminder of sent) {
            expect(at(reminder.at) >= window.startsAt && at(reminder.at) < window.endsAt).toBe(
              true,
            );
          }
          expect(slots).toEqual([...slots].sort());
          const dates = new Set<string>();
          for (
            let d = localDateOf(window.startsAt, timeZone);
            d <= localDateOf(new Date(window.endsAt.getTime() - 1), timeZone);
            d = nextDate(d)
          )
            dates.add(d);
          expect(slots.every((slot) => dates.has(slot))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
