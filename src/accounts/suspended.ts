import { isAtLeast, type Level } from '../policy/levels.js';
import type { Standing, StandingSuspension } from './contract.js';

/** The suspension of this standing that runs at `now`. */
export function runningSuspension({ suspension }: Standing, now: Date): StandingSuspension | undefined {
  return suspension && suspension.endedAt === undefined && suspension.until > now ? suspension : undefined;
}

const ceilSeconds = (at: Date): number => Math.ceil(at.getTime() / 1000);

/** When each suspension that is over began and ended. An end that was written down counts before its time: by a clock that is behind. */
function overAt({ suspension, pastSuspensions = [] }: Standing, now: Date): { from: Date; until: Date }[] {
  if (!suspension || runningSuspension({ suspension }, now)) return pastSuspensions;
  return [...pastSuspensions, { from: suspension.from, until: suspension.endedAt ?? suspension.until }];
}

/**
 * Whether a session, code or token is one that a suspension let in, and the suspension is over: it proves less than two
 * factors, and its sign-in falls into that time. Nothing has to run at the end of a suspension for this to be so, and
 * whatever was raised by a real proof meanwhile is not touched.
 */
export const isMadeUnderEndedSuspension = (
  standing: Standing,
  { startedAt, level }: { startedAt: Date; level: Level },
  now: Date,
): boolean =>
  !isAtLeast(level, '2fa') &&
  overAt(standing, now).some(
    ({ from, until }) => startedAt >= from && startedAt.getTime() / 1000 <= ceilSeconds(until),
  );

/**
 * Sign-ins are known by whole seconds, suspensions and "sign out everywhere" by the millisecond: a sign-in in the very
 * second of one of them is dated to its right side. Seconds since the epoch.
 */
export function earliestSignIn(standing: Standing, now: Date): number {
  const running = runningSuspension(standing, now);
  return Math.max(
    Math.floor(now.getTime() / 1000),
    standing.sessionsNotBefore ? ceilSeconds(standing.sessionsNotBefore) : 0,
    running ? ceilSeconds(running.from) : 0,
    ...overAt(standing, now).map(({ until }) => ceilSeconds(until) + 1),
  );
}
