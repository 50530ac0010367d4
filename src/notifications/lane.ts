/** One stretch of work at a time, several abreast, over and over until nothing is left. */
export interface Lane {
  /** Works off what is due now, and what comes in meanwhile; a call while it runs is the same run. Never rejects. */
  kick(): Promise<void>;
  /** Resolves when the pieces in hand are done; until it is opened again nothing is begun. */
  close(): Promise<void>;
  open(): void;
}

/**
 * @param options.next does one piece; false when there was none.
 * @param options.width pieces that are done at the same time.
 * @param options.onFailure hears what `next` throws; that run is over then.
 */
export function createLane(options: {
  width: number;
  next(): Promise<boolean>;
  onFailure(error: unknown): void;
}): Lane {
  const { width, next, onFailure } = options;
  let isClosed = false;
  let running: Promise<void> | undefined;
  let again = false;

  async function one(): Promise<void> {
    while (!isClosed && (await next()));
  }

  async function drain(): Promise<void> {
    try {
      do {
        again = false;
        const all = await Promise.allSettled(Array.from({ length: width }, one));
        const failed = all.find((result) => result.status === 'rejected');
        if (failed) return onFailure(failed.reason);
      } while (again && !isClosed);
    } finally {
      // In the same tick as the last look at `again`: a kick in between would be lost.
      running = undefined;
    }
  }

  return {
    open() {
      isClosed = false;
    },
    kick() {
      again = true;
      running ??= drain();
      return running;
    },
    async close() {
      isClosed = true;
      await running;
    },
  };
}
