import { renderSVG } from 'uqr';

/** One of the eight. */
const ANY_MASK = 0;

/**
 * Black on white whatever the page's theme, with the quiet zone of four modules that ISO/IEC 18004 asks for: readers fail without it.
 * @param isBrief for a page that is made often and looked at for seconds: the most even of the eight masks is not looked for, which is
 *   most of the work; each of them can be read.
 */
export const qrSvg = (text: string, { isBrief = false }: { isBrief?: boolean } = {}): string =>
  renderSVG(text, {
    ecc: 'M',
    border: 4,
    pixelSize: 4,
    whiteColor: '#fff',
    blackColor: '#000',
    ...(isBrief ? { maskPattern: ANY_MASK } : {}),
  });
