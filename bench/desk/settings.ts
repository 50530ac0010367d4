/** Browsers that wait for a decision at the same time, on one node. */
export const WAITING = 1000;
/** How long they are watched while nothing happens, seconds. */
export const IDLE_SECONDS = 30;
/** Accounts in the directory while its lists are read. */
export const ACCOUNTS = 100_000;
export const PAGE = 50;
/** Of each list, after as many again to warm up. */
export const READS = 1000;

/** An application that every server has. */
export const CLIENT_ID = 'countersign-account';

export const GOALS = {
  /** Of one core, percent, while nothing is decided. */
  waitingCpuPercent: 5,
  /** Queries of the watcher per second: one in 500 ms. */
  watcherPerSecond: 2,
  /** From the decision to the last page that goes on, milliseconds. */
  heardMs: 2000,
  /** CPU of the server for one page of a list, milliseconds. */
  listCpuMs: 20,
} as const;
