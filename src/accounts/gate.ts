import { AppError } from '../errors.js';

/** Lets `width` pieces of work run at once and `queueLength` wait. */
export interface Gate {
  /** @throws AppError OVERLOADED when the queue is full; the work is not begun. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(options: { width: number; queueLength: number; retryAfterSeconds: number }): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < options.width) {
      running += 1;
      return;
    }
    if (waiting.length >= options.queueLength) {
      throw new AppError('OVERLOADED', 'the queue of password hashes is full', {
        retryAfterSeconds: options.retryAfterSeconds,
      });
    }
    // Whoever leaves hands the place over, so that nobody slips in between.
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };

  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
