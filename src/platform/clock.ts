/** The only source of the present in our own code; tests put a fake one in its place. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Whole seconds since the epoch, as JWTs and the provider count. */
export const epochSeconds = (clock: Clock): number => Math.floor(clock.now().getTime() / 1000);

export const inSeconds = (from: Date, seconds: number): Date => new Date(from.getTime() + seconds * 1000);
