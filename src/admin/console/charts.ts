/** Geometry of the overview's charts: pictures are drawn by the page's template, without any script. */

export interface Share {
  id: string;
  value: number;
}

/** Of a bar that is 1000 wide: where each share stands. A share that is there at all can be seen. */
export interface Segment extends Share {
  x: number;
  width: number;
  /** Whole per cent of all shares. */
  percent: number;
}

export const BAR_WIDTH = 1000;
const LEAST_WIDTH = 8;

/** Shares of a whole, side by side. */
export function stackedBar(shares: readonly Share[]): Segment[] {
  const total = shares.reduce((sum, { value }) => sum + value, 0);
  const shown = shares.filter(({ value }) => value > 0);
  const least = Math.min(LEAST_WIDTH, BAR_WIDTH / Math.max(1, shown.length));
  const spare = BAR_WIDTH - least * shown.length;
  let x = 0;
  return shown.map(({ id, value }) => {
    const width = least + (spare * value) / total;
    const segment = { id, value, x: round(x), width: round(width), percent: Math.round((100 * value) / total) };
    x += width;
    return segment;
  });
}

/** Values beside each other, the longest bar as wide as the chart; most first. */
export function bars(shares: readonly Share[]): Segment[] {
  const total = shares.reduce((sum, { value }) => sum + value, 0);
  const most = Math.max(1, ...shares.map(({ value }) => value));
  return [...shares]
    .sort((a, b) => b.value - a.value)
    .map(({ id, value }) => ({
      id,
      value,
      x: 0,
      width: value > 0 ? round(Math.max(LEAST_WIDTH, (BAR_WIDTH * value) / most)) : 0,
      percent: total > 0 ? Math.round((100 * value) / total) : 0,
    }));
}

/** Columns of this height, and this wide with the gap after them. */
export const COLUMN_HEIGHT = 160;
export const COLUMN_WIDTH = 40;

export interface Column {
  day: string;
  total: number;
  parts: { id: string; x: number; y: number; height: number }[];
}

/** One column for each day, its parts on top of each other in the order of `ids`. */
export function columns(
  days: readonly { day: string; total: number; byMethod: Readonly<Record<string, number>> }[],
  ids: readonly string[],
): Column[] {
  const most = Math.max(1, ...days.map(({ total }) => total));
  return days.map(({ day, total, byMethod }, index) => {
    let y = COLUMN_HEIGHT;
    const parts = ids.flatMap((id) => {
      const height = round((COLUMN_HEIGHT * (byMethod[id] ?? 0)) / most);
      y = round(y - height);
      return height > 0 ? [{ id, x: index * COLUMN_WIDTH, y, height }] : [];
    });
    return { day, total, parts };
  });
}

const round = (length: number): number => Math.round(length * 10) / 10;
