import { calendarDay } from '../../src/factors/contract.js';

const MINUTE_MS = 60_000;
/** Longer than any day, those of the clock change included. */
const LONGEST_DAY_MINUTES = 26 * 60;

/** When the day of an instant ends there, to the minute. */
export function endOfDay(at: Date, timeZone: string): Date {
  const day = calendarDay(at, timeZone);
  const minute = Math.floor(at.getTime() / MINUTE_MS);
  let [inside, beyond] = [0, LONGEST_DAY_MINUTES];
  while (beyond - inside > 1) {
    const middle = (inside + beyond) >> 1;
    if (calendarDay(new Date((minute + middle) * MINUTE_MS), timeZone) === day) inside = middle;
    else beyond = middle;
  }
  return new Date((minute + beyond) * MINUTE_MS);
}

/** The day `back` days before. */
export const dayBefore = (day: string, back: number): string =>
  new Date(Date.parse(`${day}T12:00:00Z`) - back * 86_400_000).toISOString().slice(0, 10);
