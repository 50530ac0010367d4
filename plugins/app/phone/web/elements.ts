/** Elements without a framework: text is always text, never markup. */

type Child = Node | string | false | undefined;
type Attributes = Readonly<Record<string, string | boolean | undefined | ((event: Event) => void)>>;

function dress(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
}

/** @param attributes a function listens to the event of that name */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  dress(made, attributes);
  made.append(...children.filter((child) => child !== false && child !== undefined));
  return made;
}

/** On the grid of views/parts/icons.pug: 24 px, lines of 1.75 px. */
const DRAWINGS = {
  brand: 'M12 3l7 3v5c0 4.6-3 8.2-7 10-4-1.8-7-5.4-7-10V6zM9 12l2.2 2.2L15.5 10',
  phone:
    'M9 2.5h6a2.5 2.5 0 0 1 2.5 2.5v14a2.5 2.5 0 0 1-2.5 2.5H9A2.5 2.5 0 0 1 6.5 19V5A2.5 2.5 0 0 1 9 2.5zM11 18.5h2',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  warning: 'M12 4l9 15.5H3zM12 10v4.5M12 17h.01',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2',
  offline: 'M3 4l18 16M5 12.5a10 10 0 0 1 4-2.4M8.5 16a5 5 0 0 1 5.5-1M13 9.6a10 10 0 0 1 6 2.9M12 19.5h.01',
  scan: 'M4 8V6a2 2 0 0 1 2-2h2M16 4h2a2 2 0 0 1 2 2v2M20 16v2a2 2 0 0 1-2 2h-2M8 20H6a2 2 0 0 1-2-2v-2M8 12h8',
  add: 'M12 5v14M5 12h14',
  next: 'M9 5.5l6.5 6.5L9 18.5',
  more: 'M5.5 12h.01M12 12h.01M18.5 12h.01',
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5a2.2 2.2 0 0 0 4 0',
  share: 'M12 15V3.5M8 7l4-3.5L16 7M7 11H5.5v9.5h13V11H17',
} as const;

export type IconName = keyof typeof DRAWINGS;

export function icon(name: IconName): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', DRAWINGS[name]);
  svg.append(path);
  dress(svg, {
    class: 'icon',
    viewBox: '0 0 24 24',
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '1.75',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    'aria-hidden': 'true',
    focusable: 'false',
  });
  return svg;
}

export const button = (kind: string, label: string, click: () => void, image?: IconName): HTMLButtonElement =>
  element('button', { type: 'button', class: kind, click }, image && icon(image), label);

export const note = (kind: 'bad' | 'warn' | 'good' | '', image: IconName, ...content: Child[]): HTMLDivElement =>
  element('div', { class: `note ${kind}` }, icon(image), element('div', {}, ...content));

export const emblem = (image: IconName, kind: 'good' | 'bad' | '' = ''): HTMLDivElement =>
  element('div', { class: `emblem ${kind}` }, icon(image));

/** Digits in groups of three, to be read out and compared. */
export const grouped = (digits: string): string => digits.replace(/(?=(?:\d{3})+$)(?<!^)/g, ' ');
