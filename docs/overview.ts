/** One page of the README's picture, photographed at the size in which it is shown. */
export interface Panel {
  caption: string;
  png: Buffer;
}

export const SHEET = { width: 1400, height: 700 };
/** Of each page in the picture, in its own pixels and as shown. */
export const PANEL = { width: 390, height: 860, scale: 0.63 };

/** The README's picture: several pages side by side, as one page for a browser to photograph. */
export function overviewPage(panels: readonly Panel[]): string {
  const [width, height] = [PANEL.width * PANEL.scale, PANEL.height * PANEL.scale].map(Math.floor);
  const figures = panels.map(
    ({ caption, png }) =>
      `<figure><div><img src="data:image/png;base64,${png.toString('base64')}" alt=""></div><figcaption>${caption}</figcaption></figure>`,
  );
  return `<!doctype html><meta charset="utf-8"><style>
    * { box-sizing: border-box; margin: 0; }
    body { width: ${SHEET.width}px; height: ${SHEET.height}px; display: flex; gap: 24px; align-items: center; justify-content: center;
      background: #dbe8eb; font: 600 16px/1.4 system-ui, sans-serif; color: #14232b; }
    div { width: ${width}px; height: ${height}px; overflow: hidden; border-radius: 20px; box-shadow: 0 0 0 1px rgb(20 35 43 / 0.14), 0 14px 28px -8px rgb(20 35 43 / 0.3); }
    img { width: ${width}px; height: ${height}px; display: block; }
    figcaption { margin-top: 18px; text-align: center; }
  </style>${figures.join('')}`;
}
