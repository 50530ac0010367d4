import { encode } from 'uqr';

/** One of the eight. */
const ANY_MASK = 0;

/** The dark modules as a path, row by row, those beside one another as one piece. */
function pathOf(rows: readonly boolean[][]): string {
  let path = '';
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x += 1) {
      if (!row[x]) continue;
      const from = x;
      while (row[x + 1]) x += 1;
      path += `M${from} ${y}h${x - from + 1}v1H${from}z`;
    }
  }
  return path;
}

/**
 * Black on white whatever the page's theme, with the quiet zone of four modules that ISO/IEC 18004 asks for: readers fail without it.
 * @param isBrief for a page that is made often and looked at for seconds: the most even of the eight masks is not looked for, which is
 *   most of the work; each of them can be read.
 */
export function qrSvg(text: string, { isBrief = false }: { isBrief?: boolean } = {}): string {
  const { data, size } = encode(text, { ecc: 'M', border: 4, ...(isBrief ? { maskPattern: ANY_MASK } : {}) });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${pathOf(data)}"/></svg>`
  );
}
