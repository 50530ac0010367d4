/** The app first: whoever has a phone is asked there. */
export const METHODS_WITH_APP = [{ id: 'app' }, { id: 'totp' }];

/** Sign-ins that wait for an answer at the same time, on one node. */
export const WAITING = 2000;
/** Before that many, for comparison: what the node asks the database must not depend on it. */
export const FEW_WAITING = 100;
/** How long they are watched while nothing happens, seconds. */
export const IDLE_SECONDS = 20;
/** Then one of them is answered each second, for as many seconds. */
export const ANSWERED = 30;

/** Sign-ins of each kind in one round. */
export const PER_ROUND = 40;
export const WARM_UP = 80;
/** Approvals from one node to the other, one after the other. */
export const ACROSS = 60;

export const GOALS = {
  /** Of one core, percent, while nothing is answered. */
  waitingCpuPercent: 5,
  /** What a sign-in costs from its first request to the application's tokens without the password hash, against one with a verification code. */
  ratio: 1.3,
  /** From the phone's answer to the redirect to the application, milliseconds, half of them. */
  acrossMs: 300,
} as const;
