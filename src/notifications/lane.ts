/** Pieces of work that are taken one after the other, several at the same time, until nothing is left. */
export interface Lane {
  /** Works off what is due now, and what comes in meanwhile; resolves when nothing is left. Never rejects. */
  kick(): Promise<void>;
  /** Resolves when the pieces in hand are done; until it is opened again nothing is begun. */
  close(): Promise<void>;
  open(): void;
}

/**
 * @param options.take takes one piece that is due, and returns how it is done; undefined when there is none.
 * @param options.width pieces that are done at the same time. A kick begins with one worker; each that finds something calls another,
 *   so that a slow piece holds nobody up and an idle lane asks once.
 * @param options.onFailure hears what `take` or the work throws; that worker goes home.
 */
export function createLane(options: {
  width: number;
  take(): Promise<(() => Promise<void>) | undefined>;
  onFailure(error: unknown): void;
}): Lane {
  const { width, take, onFailure } = options;
  let isClosed = false;
  let workers = 0;
  let kicks = 0;
  let waiting: (() => void)[] = [];

  const callWorker = (): void => {
    if (isClosed || workers >= width) return;
    workers += 1;
    void work();
  };

  async function work(): Promise<void> {
    try {
      while (!isClosed) {
        const kicksBefore = kicks;
        const piece = await take();
        if (piece) {
          callWorker();
          await piece();
        } else if (kicks === kicksBefore) break;
      }
    } catch (error) {
      onFailure(error);
    } finally {
      // In the same tick as the last look at `kicks`: a kick in between would be lost.
      workers -= 1;
      if (workers === 0) {
        for (const resolve of waiting) resolve();
        waiting = [];
      }
    }
  }

  const everyoneHome = async (): Promise<void> => {
    if (workers > 0) await new Promise<void>((resolve) => waiting.push(resolve));
  };

  return {
    open() {
      isClosed = false;
    },
    kick() {
      kicks += 1;
      callWorker();
      return everyoneHome();
    },
    close() {
      isClosed = true;
      return everyoneHome();
    },
  };
}
