import type { CliIo } from '../command.js';

const REDRAW_MS = 200;
const PLAIN_EVERY_MS = 10_000;
const BAR_WIDTH = 30;

export interface Counts {
  ok: number;
  exists: number;
  error: number;
}

/** How far it is: a bar where somebody watches, a line now and then where the output is kept. */
export function createProgress(
  { terminal, err }: Pick<CliIo, 'terminal' | 'err'>,
  isDry: boolean,
  now = () => performance.now(),
) {
  const begun = now();
  let shown = begun;
  const words = ({ ok, exists, error }: Counts): string => {
    const seconds = Math.max((now() - begun) / 1000, 0.001);
    const perSecond = Math.round((ok + exists + error) / seconds);
    return `${ok} ${isDry ? 'to be made' : 'made'}, ${exists} there already, ${error} wrong (${perSecond} a second)`;
  };
  return {
    /** @param share of the input that is read, 0 to 1; undefined where nobody knows. */
    show(counts: Counts, share: number | undefined): void {
      if (now() - shown < (terminal ? REDRAW_MS : PLAIN_EVERY_MS)) return;
      shown = now();
      const percent = share === undefined ? '' : `${Math.floor(share * 100)} % `;
      if (!terminal) {
        err(`${percent}${words(counts)}`);
        return;
      }
      const filled = Math.round((share ?? 0) * BAR_WIDTH);
      const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] `;
      terminal.write(`\r\u001b[K${bar}${percent}${words(counts)}`);
    },
    finish(counts: Counts): void {
      if (terminal) terminal.write('\r\u001b[K');
      err(words(counts));
    },
  };
}
