/** How often, and how far apart, a mail is tried. */
export interface RetrySchedule {
  firstWaitSeconds: number;
  /** Each wait is the one before times this. */
  factor: number;
  longestWaitSeconds: number;
  /** After so many failures the mail is a dead letter. */
  attempts: number;
}

/** 1, 3, 9, 27, 81, 243 minutes, then every six hours: a relay may be away for a day. */
export const DEFAULT_RETRY: RetrySchedule = {
  firstWaitSeconds: 60,
  factor: 3,
  longestWaitSeconds: 6 * 3600,
  attempts: 10,
};

/** Seconds until the next attempt after `failures` failed ones (1 or more); undefined: give up. */
export function waitAfter(failures: number, schedule: RetrySchedule): number | undefined {
  if (failures >= schedule.attempts) return undefined;
  return Math.min(schedule.longestWaitSeconds, schedule.firstWaitSeconds * schedule.factor ** (failures - 1));
}
