import { instantAt, localDateOf, nextDate, type LocalDate } from './calendar.ts';

/** When an account is reminded: the hour on the wall clock of its zone. */
export type ReminderSchedule = { readonly timeZone: string; readonly reminderHour: number };

/** [startsAt, endsAt): from the first warning, of time or usage, to the expiry. */
export type ReminderWindow = { readonly startsAt: Date; readonly endsAt: Date };

export type DueReminder = { readonly slot: LocalDate; readonly dueAt: Date };

/**
 * The reminder that is due next, at or after `now`'s local date, given the last date that was done with. Missed dates are not made up for: after an outage
 * one mail, of today, is right, and the backlog is noise. Undefined when no further one is due before the window ends.
 *
 * DESIGN 5: a reminder is due once on each local date that touches the window, at the account's hour, or at the window's start if that is later; if no
 * such instant lies before the expiry (a grant of minutes), once at the window's start.
 */
export function nextReminder(
  window: ReminderWindow,
  schedule: ReminderSchedule,
  lastSlot: LocalDate | undefined,
  now: Date,
): DueReminder | undefined {
  if (now >= window.endsAt) return undefined;
  const firstSlot = localDateOf(window.startsAt, schedule.timeZone);
  const today = localDateOf(now, schedule.timeZone);
  let slot = today > firstSlot ? today : firstSlot;
  if (lastSlot !== undefined && slot <= lastSlot) slot = nextDate(lastSlot);
  const dueAt = dueInstant(window, schedule, slot);
  if (dueAt < window.endsAt) return { slot, dueAt };
  // Never reminded and nothing left to be due: better one mail at an odd hour than none at all.
  return lastSlot === undefined ? { slot, dueAt: window.startsAt } : undefined;
}

function dueInstant(window: ReminderWindow, schedule: ReminderSchedule, slot: LocalDate): Date {
  const atHour = instantAt(slot, schedule.reminderHour, schedule.timeZone);
  return atHour > window.startsAt ? atHour : window.startsAt;
}
