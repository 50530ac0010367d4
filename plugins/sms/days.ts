/** `YYYY-MM-DD` in an IANA time zone. */
export function dayOf(at: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(at);
  const part = (wanted: Intl.DateTimeFormatPartTypes) => parts.find(({ type }) => type === wanted)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

const MINUTE_MS = 60_000;
/** Longer than any day, those of the clock change included. */
const LONGEST_DAY_MINUTES = 26 * 60;

/** When the day of an instant ends there, to the minute. */
export function endOfDay(at: Date, timeZone: string): Date {
  const day = dayOf(at, timeZone);
  const minute = Math.floor(at.getTime() / MINUTE_MS);
  let [inside, beyond] = [0, LONGEST_DAY_MINUTES];
  while (beyond - inside > 1) {
    const middle = (inside + beyond) >> 1;
    if (dayOf(new Date((minute + middle) * MINUTE_MS), timeZone) === day) inside = middle;
    else beyond = middle;
  }
  return new Date((minute + beyond) * MINUTE_MS);
}

/** The day `back` days before. */
export const dayBefore = (day: string, back: number): string =>
  new Date(Date.parse(`${day}T12:00:00Z`) - back * 86_400_000).toISOString().slice(0, 10);
