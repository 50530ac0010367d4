/** Counts attempts before the work is done, so that guessing takes longer than anybody has. */
export type { CommonReservation, Limit, Reservation, Settlement, Throttle, ThrottleRule } from './contract.js';
export { createThrottle, ensureIndexes } from './throttle.js';
export { watchedThrottle } from './watched.js';
