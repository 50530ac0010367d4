type Piece = () => Promise<void>;

/** Pieces of work that are taken one after the other, several at the same time, until nothing is left. */
export interface Lane {
  /** Works off what is due now, and what comes in meanwhile; resolves when nothing is left. Never rejects. */
  kick(): Promise<void>;
  /**
   * Keeps a worker for a piece that the caller takes by itself. What it returns is called once: with the piece, or with nothing when
   * there is none. Undefined: all are at work, or the lane is closed.
   */
  hold(): ((piece?: Piece) => void) | undefined;
  /** Resolves when the pieces in hand are done; until it is opened again nothing is begun. */
  close(): Promise<void>;
  open(): void;
}

/**
 * @param options.take takes one piece that is due, and returns how it is done; undefined when there is none.
 * @param options.width pieces that are done at the same time. A kick begins with one worker; each that finds something calls another,
 *   so that a slow piece holds nobody up, and whatever is left is looked for until a look has found nothing.
 * @param options.onFailure hears what `take` or the work throws; that worker goes home.
 */
export function createLane(options: {
  width: number;
  take(): Promise<Piece | undefined>;
  onFailure(error: unknown): void;
}): Lane {
  const { width, take, onFailure } = options;
  let isClosed = false;
  let workers = 0;
  let kicks = 0;
  /** The latest kick after which nothing was found. */
  let answered = 0;
  let waiting: (() => void)[] = [];

  const callWorker = (): void => {
    if (isClosed || workers >= width) return;
    workers += 1;
    void work();
  };

  async function work(held?: Piece): Promise<void> {
    try {
      await held?.();
      while (!isClosed && answered < kicks) {
        const kick = kicks;
        const piece = await take();
        if (piece) {
          callWorker();
          await piece();
        } else answered = Math.max(answered, kick);
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
    hold() {
      if (isClosed || workers >= width) return undefined;
      workers += 1;
      return (piece) => void work(piece);
    },
    close() {
      isClosed = true;
      return everyoneHome();
    },
  };
}
