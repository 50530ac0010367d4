import { renderSVG } from 'uqr';

/** Black on white whatever the page's theme, with the quiet zone of four modules that ISO/IEC 18004 asks for: readers fail without it. */
export const qrSvg = (text: string): string =>
  renderSVG(text, { ecc: 'M', border: 4, pixelSize: 4, whiteColor: '#fff', blackColor: '#000' });
