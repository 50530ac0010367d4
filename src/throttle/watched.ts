import type { Throttle } from './contract.js';

/** Tells of every refusal: which counter it was, and nothing of whose. */
export const watchedThrottle = (throttle: Throttle, refused: (counter: string) => void): Throttle => {
  const noted = <T extends { reserved: true } | { reserved: false; counter: string }>(reservation: T): T => {
    if (!reservation.reserved) refused(reservation.counter);
    return reservation;
  };
  return {
    ...throttle,
    reserve: async (subject, rules) => noted(await throttle.reserve(subject, rules)),
    reserveAll: async (limits) => noted(await throttle.reserveAll(limits)),
  };
};
